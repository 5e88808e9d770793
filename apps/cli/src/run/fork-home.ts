/** The home of a fork: a folder beside the parent's, with the same account and a device of its own. */
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { deviceKey, type Hash, WorldError } from '@folkmoot/core';
import { readIdentity, replaceIdentity } from '../identity.ts';

/** The same for the same command, so that it goes on with its fork after a crash. Throws `fork-home`. */
export function forkHome(home: string, parent: Hash, { to, at }: { to?: string; at?: string }): string {
  const chosen =
    to === undefined ? [`${home}-fork`, parent.slice(0, 8), ...(at ? [at.slice(0, 8)] : [])].join('-') : resolve(to);
  if (chosen !== home) return chosen;
  throw new WorldError('fork-home', 'A fork lives in a home of its own: the parent’s member may go on in this one.', {
    facts: { home },
    help: 'Give another folder with --to DIR, or leave it away.',
  });
}

/**
 * Gives `to` the account of `from`, so that what its owner has earned is its own in the fork too. Two processes must not
 * count with one device, so that is new. Keys that are in `to` already stay.
 */
export async function shareAccount(from: string, to: string): Promise<void> {
  if (await readIdentity(to)) return;
  const owner = await readIdentity(from);
  if (owner) await replaceIdentity(to, { account: owner.account, device: deviceKey(new Uint8Array(randomBytes(32))) });
}
