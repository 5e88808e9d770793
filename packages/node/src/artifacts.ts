/**
 * Artifacts between members: served in ranges, fetched in chunks, resumed where they stopped, verified whole.
 *
 * The name is a hash of the whole, so a wrong byte is only seen at the end: then everything is dropped and the next
 * provider is asked. Sizes are known from the charter before anything is allocated.
 */
import {
  type Clock,
  canonicalBytes,
  type DeviceId,
  type Hash,
  type Incoming,
  isWorldError,
  type Mirror,
  type Network,
  type Store,
  shortId,
  WorldError,
} from '@folkmoot/core';
import { artifactRequestIn, CHUNK_BYTES, mirrorSource, peerSource, type Source, sizeAt } from './artifact-sources.ts';
import type { Guard } from './guard.ts';

const ROUNDS_OF_ASKING = 4;
const MOST_BLAMED = 4096;
const RETRY_MS = 500;

/** A peer below this rate after this time is left for another: bytes that drip hold up whoever waits. */
const SLOWEST_BYTES_PER_MS = 8;
const PATIENCE_MS = 20_000;

export interface FetchOptions {
  /** No larger artifact is taken. */
  readonly maxBytes: number;
  /** Who is likely to have it, asked first. */
  readonly from?: readonly DeviceId[];
  readonly signal?: AbortSignal;
  /** Longest time for the whole; then it is `artifact-unavailable`, however many bytes still drip. */
  readonly withinMs?: number;
  /** Called with each chunk. */
  readonly onProgress?: (doneBytes: number, sizeBytes: number) => void;
}

export class Artifacts {
  readonly store: Store;
  /** Artifact bytes that this member sent and received, without framing. */
  readonly moved = { sentBytes: 0, receivedBytes: 0 };
  readonly #network: Network;
  readonly #guard: Guard | undefined;
  readonly #mirrors: readonly Mirror[];
  readonly #clock: Clock;
  /** Peers and artifacts of which they had other bytes. */
  readonly #blamed = new Set<string>();
  readonly #underWay = new Map<Hash, Promise<void>>();
  /** What was filed since the last collection, and before that since the one before. */
  #young = new Set<Hash>();
  #old = new Set<Hash>();

  /** `guard`: told of false bytes; the best of the peers are asked first. `mirrors`: asked when no peer could help. */
  constructor(network: Network, store: Store, clock: Clock, guard?: Guard, mirrors: readonly Mirror[] = []) {
    this.#mirrors = mirrors;
    this.#network = network;
    this.#guard = guard;
    this.store = store;
    this.#clock = clock;
  }

  /** Gives artifacts to everybody who names them. */
  serve(): void {
    const limits = { maxRequestBytes: 512, maxConcurrentPerPeer: 16, bulk: true };
    this.#network.serve('artifact', (peer, request) => this.#answer(peer, request), limits);
  }

  /** Whether `peer` could be asked now. */
  reaches(peer: DeviceId): boolean {
    return this.#network.peers().includes(peer);
  }

  /** Files own bytes; they are safe from collection for at least one round. */
  async put(bytes: Uint8Array): Promise<Hash> {
    const id = await this.store.put(bytes);
    this.#young.add(id);
    return id;
  }

  /** Frees what neither `keep` names nor was filed lately: work under way is known to nobody else yet. */
  async collect(keep: Iterable<Hash>): Promise<number> {
    const freed = await this.store.collect(new Set([...keep, ...this.#young, ...this.#old]));
    this.#old = this.#young;
    this.#young = new Set();
    return freed;
  }

  /** The artifact's bytes, from disk or from whoever has them. Throws `artifact-unavailable` when nobody does. */
  async get(id: Hash, options: FetchOptions): Promise<Uint8Array> {
    await this.ensure(id, options);
    try {
      return await this.store.get(id);
    } catch (error) {
      // Damaged on disk and set aside: the others still have it.
      if (!isWorldError(error, 'artifact-corrupt') && !isWorldError(error, 'artifact-missing')) throw error;
      await this.ensure(id, options);
      return this.store.get(id);
    }
  }

  /** Makes sure that the artifact is in the store; two callers share one transfer. */
  async ensure(id: Hash, options: FetchOptions): Promise<void> {
    while ((await this.store.size(id)) === undefined) {
      const running = this.#underWay.get(id);
      if (!running) return this.#begin(id, options);
      // Whoever began the transfer may call it off; those who wait for it have not.
      const failure = await unlessAborted(running, options.signal).then(
        () => undefined,
        (error: unknown) => error,
      );
      options.signal?.throwIfAborted();
      if (isWorldError(failure)) throw failure;
    }
  }

  #begin(id: Hash, options: FetchOptions): Promise<void> {
    this.#young.add(id);
    const fetching = this.#fetch(id, options).finally(() => this.#underWay.delete(id));
    this.#underWay.set(id, fetching);
    return fetching;
  }

  async #fetch(id: Hash, options: FetchOptions): Promise<void> {
    if (options.withinMs === undefined) return this.#askAround(id, options);
    const done = new AbortController();
    const late = new AbortController();
    this.#clock.sleep(options.withinMs, done.signal).then(
      () => late.abort(unavailable(id, 'it takes too long')),
      () => {},
    );
    const signal = options.signal ? AbortSignal.any([options.signal, late.signal]) : late.signal;
    await this.#askAround(id, { ...options, signal }).finally(() => done.abort());
  }

  async #askAround(id: Hash, options: FetchOptions): Promise<void> {
    let reason = 'no member is connected';
    for (let attempt = 0; attempt < ROUNDS_OF_ASKING; attempt++) {
      if (attempt > 0) await this.#clock.sleep(RETRY_MS * attempt, options.signal);
      for (const source of this.#sources(options.from ?? [])) {
        options.signal?.throwIfAborted();
        try {
          if (await this.#fetchFrom(source, id, options)) return;
          reason = `${source.name} does not have it, or sent other bytes`;
        } catch (error) {
          if (isWorldError(error, 'disk-full') || isWorldError(error, 'store-full')) throw error;
          reason = error instanceof Error ? error.message : String(error);
        }
      }
    }
    throw unavailable(id, reason);
  }

  /** Peers first, the likely ones before the others; then mirrors. */
  *#sources(likely: readonly DeviceId[]): Generator<Source> {
    const connected = this.#network.peers();
    const rest = this.#guard?.sorted(connected) ?? connected;
    const peers = new Set([...likely.filter((peer) => connected.includes(peer)), ...rest]);
    for (const peer of peers) yield peerSource(this.#network, peer);
    for (const mirror of this.#mirrors) yield mirrorSource(mirror);
  }

  /** False where the source does not have it or its bytes have another hash. */
  async #fetchFrom(source: Source, id: Hash, options: FetchOptions): Promise<boolean> {
    const known = await sizeAt(source, id, options.maxBytes, options.signal);
    if (known === undefined) return false;
    const incoming = await this.store.receive(id, known);
    const isResumed = incoming.offset > 0;
    let isWhole = false;
    try {
      isWhole = await this.#take(source, id, known, incoming, options);
    } catch (error) {
      await incoming.pause();
      throw error;
    }
    if (!isWhole) {
      await incoming.pause();
      return false;
    }
    if (await incoming.finish()) return true;
    // The first part came from somebody else, who may have lied: this one is asked for the whole before it is blamed.
    if (!isResumed && source.peer !== undefined) this.#blame(source.peer, id);
    return isResumed && this.#fetchFrom(source, id, options);
  }

  /** Once for each artifact: an honest disk with one flipped bit gives the same bytes to everybody who asks again. */
  #blame(peer: DeviceId, id: Hash): void {
    const name = `${peer} ${id}`;
    if (this.#blamed.has(name)) return;
    this.#blamed.add(name);
    if (this.#blamed.size > MOST_BLAMED) this.#blamed.delete(this.#blamed.values().next().value!);
    this.#guard?.report(peer, 'false-bytes');
  }

  /** Whether all of the announced bytes came. */
  async #take(source: Source, id: Hash, known: number, incoming: Incoming, options: FetchOptions): Promise<boolean> {
    const before = incoming.offset;
    let done = before;
    if (done >= known) return true;
    const startedMs = this.#clock.now();
    for await (const chunk of source.read(id, done, options.signal)) {
      await incoming.append(chunk);
      this.moved.receivedBytes += chunk.length;
      done += chunk.length;
      options.onProgress?.(done, known);
      if (done >= known) return true;
      const tookMs = this.#clock.now() - startedMs;
      if (tookMs > PATIENCE_MS && (done - before) / tookMs < SLOWEST_BYTES_PER_MS)
        throw unavailable(id, `${source.name} only drips`);
    }
    return false;
  }

  /** First a message with the size (absent: not here), then the bytes from `offset`; −1 asks for the size alone. */
  async *#answer(peer: DeviceId, request: Uint8Array): AsyncGenerator<Uint8Array> {
    const asked = artifactRequestIn(request);
    if (!asked) {
      this.#guard?.report(peer, 'malformed');
      return;
    }
    const { id, offset } = asked;
    const size = await this.store.size(id);
    yield canonicalBytes({ size });
    if (size === undefined || offset === -1) return;
    for (let at = offset; at < size; ) {
      const chunk = await this.store.read(id, at, CHUNK_BYTES);
      if (chunk.length === 0) return;
      yield chunk;
      this.moved.sentBytes += chunk.length;
      at += chunk.length;
    }
  }
}

/** `work`, unless `signal` aborts before it ends. */
function unlessAborted<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason);
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}

function unavailable(id: Hash, reason: string): WorldError {
  return new WorldError('artifact-unavailable', `Artifact ${shortId(id)} could not be fetched: ${reason}.`, {
    facts: { artifact: id },
    help: 'A member that holds it must be running and reachable. It is tried again when one connects.',
  });
}
