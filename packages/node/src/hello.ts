/** What members say when they meet: the run, their own addresses, those of others. Read as if an enemy had written it. */
import { type DeviceId, type Hash, isHash, isPrivateAddress } from '@folkmoot/core';
import { requestJson } from './exchange.ts';

/** Addresses that are kept of one device. */
export const MAX_ADDRESSES = 8;
/** Devices that one answer tells of, and that are taken from one. */
export const MAX_TOLD = 64;

export interface Hello {
  /** `undefined` where it is no hash. */
  readonly run: Hash | undefined;
  readonly addresses: readonly string[];
}

export interface Welcome {
  /** As the other side wrote it, for the message of an error. */
  readonly run: string;
  readonly peers: readonly { readonly device: DeviceId; readonly addresses: readonly string[] }[];
}

/** A greeting; empty where the bytes are none. */
export function helloIn(request: Uint8Array): Hello {
  const { run, addresses } = (requestJson(request) ?? {}) as { run?: unknown; addresses?: unknown };
  return { run: isHash(run) ? run : undefined, addresses: addressesIn(addresses) };
}

/** The answer to a greeting. */
export function welcomeIn(answer: unknown): Welcome {
  const { run, peers } = (answer ?? {}) as { run?: unknown; peers?: unknown };
  const told = Array.isArray(peers) ? peers.slice(0, MAX_TOLD) : [];
  return {
    run: typeof run === 'string' ? run.slice(0, 64) : '',
    peers: told.flatMap((entry: { device?: unknown; addresses?: unknown } | null | undefined) => {
      const addresses = addressesIn(entry?.addresses);
      return isHash(entry?.device) && addresses.length > 0 ? [{ device: entry.device, addresses }] : [];
    }),
  };
}

/** Own addresses in the order in which another machine should try them, the best of them. */
export function toTell(addresses: readonly string[]): string[] {
  return addresses.toSorted((a, b) => rank(a) - rank(b)).slice(0, MAX_ADDRESSES);
}

function addressesIn(value: unknown): string[] {
  return Array.isArray(value) ? value.slice(0, 64).filter(isAddress).slice(0, MAX_ADDRESSES) : [];
}

function isAddress(value: unknown): value is string {
  // Half a character cannot be passed on in canonical JSON.
  return typeof value === 'string' && value.length <= 256 && value.isWellFormed();
}

/** The internet, the house, a relay, this machine. */
function rank(address: string): number {
  if (address.includes('/p2p-circuit')) return 2;
  const ip = /^\/ip[46]\/([^/]+)/.exec(address)?.[1];
  if (ip === '127.0.0.1' || ip === '::1') return 3;
  return ip !== undefined && isPrivateAddress(ip) ? 1 : 0;
}
