/** Who can be asked for an artifact: a peer, or a mirror. Nothing that either says is believed before the hash is right. */
import {
  canonicalBytes,
  type DeviceId,
  type Hash,
  isHash,
  type Mirror,
  type Network,
  shortId,
  WorldError,
} from '@folkmoot/core';
import { requestJson } from './exchange.ts';

export const CHUNK_BYTES = 256 * 1024;
const IDLE_MS = 15_000;

export interface Source {
  /** For people. */
  readonly name: string;
  /** The device, where it is a peer: who is blamed for false bytes. */
  readonly peer?: DeviceId;
  /** What it says; `undefined` where it does not have the artifact. */
  size(id: Hash, signal?: AbortSignal): Promise<number | undefined>;
  /** What it says are the bytes from `offset` on. */
  read(id: Hash, offset: number, signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

/** A peer over the exchange `artifact`. */
export function peerSource(network: Network, peer: DeviceId): Source {
  const limits = { idleMs: IDLE_MS, maxMessageBytes: CHUNK_BYTES, bulk: true };
  const open = (id: Hash, offset: number, signal?: AbortSignal) =>
    network.open(peer, 'artifact', canonicalBytes({ id, offset }), limits, signal);
  return {
    name: shortId(peer),
    peer,
    async size(id, signal) {
      for await (const message of open(id, -1, signal)) return sizeIn(message);
      return undefined;
    },
    async *read(id, offset, signal) {
      let first = true;
      for await (const chunk of open(id, offset, signal)) {
        if (!first) yield chunk;
        first = false;
      }
    },
  };
}

export function mirrorSource(mirror: Mirror): Source {
  return { name: mirror.name, size: mirror.size, read: mirror.read };
}

/** The size that a source says, where it is no larger than `maxBytes`. Throws `artifact-too-large`. */
export async function sizeAt(
  source: Source,
  id: Hash,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const size = await source.size(id, signal);
  if (size === undefined || size <= maxBytes) return size;
  throw new WorldError(
    'artifact-too-large',
    `${source.name} offers ${size} bytes for ${shortId(id)}; at most ${maxBytes} are taken.`,
  );
}

/** `{"size": …}` in the first message of an answer; `undefined` for anything else. */
export function sizeIn(message: Uint8Array): number | undefined {
  const { size } = (requestJson(message) ?? {}) as { size?: unknown };
  return Number.isSafeInteger(size) && (size as number) > 0 ? (size as number) : undefined;
}

/** What somebody asks for: bytes from `offset`, or with −1 the size. `undefined` where it is no such request. */
export function artifactRequestIn(request: Uint8Array): { id: Hash; offset: number } | undefined {
  const { id, offset } = (requestJson(request) ?? {}) as { id?: unknown; offset?: unknown };
  if (!isHash(id) || !Number.isSafeInteger(offset) || (offset as number) < -1) return undefined;
  return { id, offset: offset as number };
}
