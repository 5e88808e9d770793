/** Where a member listens, as it was typed. */
import { isIP } from 'node:net';
import { WorldError } from '@folkmoot/core';

/** A port from 1 to 65535. Throws `bad-number`. */
export function parsePort(option: string, text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new WorldError('bad-number', `${option} takes a port from 1 to 65535, not "${text}".`, {
    help: 'Give another port, or leave the option out.',
  });
}

/** An IPv4 or IPv6 address of this machine, or `0.0.0.0` or `::` for all of one kind. Throws `address-invalid`. */
export function parseHost(text: string): string {
  if (isIP(text) !== 0) return text;
  throw new WorldError('address-invalid', `"${text.slice(0, 120)}" is not an IP address to listen at.`, {
    help: 'Give 0.0.0.0 for every IPv4 address of this machine, 127.0.0.1 for this machine only, or one of its addresses.',
  });
}
