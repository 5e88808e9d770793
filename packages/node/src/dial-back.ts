/**
 * Dialling back: a node that asks learns from which place it is seen, whether the internet reaches it there, and what time it is
 * elsewhere. Only addresses at the asker's own place are tried, so that nobody can have others knocked at.
 */
import { type Canonical, type Clock, canonicalBytes, type DeviceId, type Network } from '@folkmoot/core';
import { requestJson } from './exchange.ts';

/** As many as are tried for one request. */
export const MAX_DIALLED = 4;
const DIAL_MS = 4000;

/** Whether something answers at `address`, which must be at `place`. */
export type Probe = (address: string, timeoutMs: number, place: string) => Promise<boolean>;

export interface DialledBack {
  /** The place that the asker comes from, as the other side sees it. */
  readonly from: string;
  readonly atMs: number;
  readonly reached: readonly { readonly address: string; readonly answers: boolean }[];
}

export function serveDialBack(network: Network, clock: Clock, probe: Probe): void {
  network.serve(
    'dial-back',
    async function* (peer, request) {
      yield canonicalBytes((await dialBack(network, clock, probe, peer, request)) as unknown as Canonical);
    },
    { maxRequestBytes: 2048, maxConcurrentPerPeer: 1 },
  );
}

async function dialBack(
  network: Network,
  clock: Clock,
  probe: Probe,
  peer: DeviceId,
  request: Uint8Array,
): Promise<DialledBack> {
  const place = network.hostOf(peer) ?? 'unknown';
  const addresses = addressesIn(request);
  const answers = await Promise.all(addresses.map((address) => probe(address, DIAL_MS, place)));
  return {
    from: place,
    atMs: clock.now(),
    reached: addresses.map((address, i) => ({ address, answers: answers[i]! })),
  };
}

/** The addresses of a request, as far as they can be passed on; none where it is no request. */
export function addressesIn(request: Uint8Array): string[] {
  const { addresses } = (requestJson(request) ?? {}) as { addresses?: unknown };
  if (!Array.isArray(addresses)) return [];
  return addresses
    .filter((value): value is string => typeof value === 'string' && value.length <= 256 && value.isWellFormed())
    .slice(0, MAX_DIALLED);
}

/** What a peer answered; `undefined` where it is something else. */
export function dialledBackIn(value: unknown): DialledBack | undefined {
  const { from, atMs, reached } = (value ?? {}) as Partial<Record<keyof DialledBack, unknown>>;
  if (typeof from !== 'string' || from.length > 256 || !Number.isSafeInteger(atMs) || !Array.isArray(reached))
    return undefined;
  const known = reached.slice(0, MAX_DIALLED).flatMap((entry) => {
    const { address, answers } = (entry ?? {}) as { address?: unknown; answers?: unknown };
    return typeof address === 'string' && typeof answers === 'boolean'
      ? [{ address: address.slice(0, 256), answers }]
      : [];
  });
  return { from, atMs: atMs as number, reached: known };
}
