/** Small exchanges: one JSON or bytes request, one answer. */
import {
  type Canonical,
  canonicalBytes,
  type DeviceId,
  type ExchangeLimits,
  type Network,
  WorldError,
} from '@folkmoot/core';
import { parseJson } from '@folkmoot/records';

export const SMALL: ExchangeLimits = { idleMs: 15_000, maxMessageBytes: 128 * 1024 };

/** Sends `request`, resolves to the first message of the answer. Throws as `Network.open` does. */
export async function ask(
  network: Network,
  peer: DeviceId,
  protocol: string,
  request: Uint8Array,
  limits: ExchangeLimits = SMALL,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  for await (const message of network.open(peer, protocol, request, limits, signal)) return message;
  throw new WorldError('peer-failed', `A peer gave no answer to ${protocol}.`, { facts: { peer } });
}

/** The same with JSON on both sides; the caller checks the shape of what comes back. */
export async function askJson(
  network: Network,
  peer: DeviceId,
  protocol: string,
  request: Canonical,
): Promise<unknown> {
  const answer = parseJson(await ask(network, peer, protocol, canonicalBytes(request)), SMALL.maxMessageBytes);
  if (!answer.ok)
    throw new WorldError('peer-failed', `A peer answered ${protocol} with something else: ${answer.reason}.`, {
      facts: { peer },
    });
  return answer.value;
}

/** A JSON request, or `undefined` where the bytes are none. */
export function requestJson(bytes: Uint8Array): unknown {
  const json = parseJson(bytes, SMALL.maxMessageBytes);
  return json.ok ? json.value : undefined;
}
