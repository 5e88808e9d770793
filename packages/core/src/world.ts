/**
 * The world as members see it: time, peers, disk. Real adapters live in `network`, `store` and `node`; the simulator
 * implements the same interfaces from one seed.
 */
import type { Hash } from './hash.ts';
import type { DeviceId } from './keys.ts';

export interface Clock {
  /** Milliseconds since 1970, an integer. */
  now(): number;
  /** Resolves after `durationMs`; rejects with the signal's reason where it aborts first. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}

/** Limits of one exchange. Each has a value: no wait and no queue is unbounded. */
export interface ExchangeLimits {
  /** Longest silence before the exchange fails with `peer-silent`. */
  readonly idleMs: number;
  /** Largest single message taken from the peer. A larger one ends the exchange with `message-too-large`. */
  readonly maxMessageBytes: number;
  /** Large answers: not over a connection that only a stranger's relay carries, unless that allows so much. */
  readonly bulk?: boolean;
}

/** Answers one request with a stream of messages. `signal` aborts when the peer hangs up. */
export type Handler = (peer: DeviceId, request: Uint8Array, signal: AbortSignal) => AsyncIterable<Uint8Array>;

/** Limits of a protocol that is served. */
export interface ServeLimits {
  readonly maxRequestBytes: number;
  readonly maxConcurrentPerPeer: number;
  /** Asked before a request is read; where it says no, the peer is told that this node is busy. */
  readonly admits?: (peer: DeviceId) => boolean;
  /** As in `ExchangeLimits`. */
  readonly bulk?: boolean;
}

/**
 * Authenticated exchanges between devices: one request, then a stream of messages back.
 *
 * Order within one exchange is kept and the sender waits while the receiver is slow. Anything else may fail at any
 * moment, with a `WorldError` whose code is `peer-unreachable`, `peer-silent`, `peer-busy` (too many exchanges at once),
 * `peer-failed` (the answer broke off), `message-too-large` or `protocol-unknown`. An answer that ends without an error
 * is whole. A message must not be changed after it was handed over.
 */
export interface Network {
  readonly self: DeviceId;
  /** Addresses at which others can dial this device. */
  addresses(): string[];
  /** Connects, checks the peer's key, and keeps the connection. Resolves to the peer's id. */
  connect(address: string, signal?: AbortSignal): Promise<DeviceId>;
  /** Connected devices. */
  peers(): DeviceId[];
  /** Calls `listener` when a device connects or its last connection closes; returns a function that stops that. */
  watchPeers(listener: (peer: DeviceId, connected: boolean) => void): () => void;
  /** Serves `protocol` (kebab-case) to every peer. */
  serve(protocol: string, handler: Handler, limits: ServeLimits): void;
  /** The place (`placeOf`) from which a connected peer comes; `undefined` where that cannot be told. */
  hostOf(peer: DeviceId): string | undefined;
  /** Ends every connection to `peer`, now. It may connect again. */
  disconnect(peer: DeviceId): void;
  /**
   * Sends `request` to a connected peer when the loop begins; yields the answer's messages until the peer ends it.
   * Leaving the loop hangs up.
   */
  open(
    peer: DeviceId,
    protocol: string,
    request: Uint8Array,
    limits: ExchangeLimits,
    signal?: AbortSignal,
  ): AsyncIterable<Uint8Array>;
  /** Bytes sent and received on the wire since the start, artifacts and protocol together. */
  traffic(): { sentBytes: number; receivedBytes: number };
  close(): Promise<void>;
}

/** An artifact that is arriving: survives a restart, has no name until it is whole. */
export interface Incoming {
  /** Bytes already held; a transfer resumes here. */
  readonly offset: number;
  /** Throws `artifact-oversized` beyond the announced size, `disk-full` where the disk is. */
  append(chunk: Uint8Array): Promise<void>;
  /**
   * Verifies the hash and files the artifact. `false`, with the bytes discarded, where the hash is wrong. Only when
   * `offset` has reached the announced size; an answer that ended early is paused.
   */
  finish(): Promise<boolean>;
  /** Keeps the bytes for a later attempt. */
  pause(): Promise<void>;
}

/** Artifacts: immutable bytes named by their sha-256. */
export interface Store {
  /** Files `bytes` and returns their id. Throws `disk-full` or `store-full`. */
  put(bytes: Uint8Array): Promise<Hash>;
  /** The bytes, hashed again on reading. Throws `artifact-missing`, or `artifact-corrupt` after setting the file aside. */
  get(id: Hash): Promise<Uint8Array>;
  /** The size, without reading; `undefined` where the artifact is not here. */
  size(id: Hash): Promise<number | undefined>;
  /** Part of an artifact, unverified: the receiver checks the whole. Shorter at the end. Throws `artifact-missing`. */
  read(id: Hash, offset: number, length: number): Promise<Uint8Array>;
  /**
   * Opens an arriving artifact of exactly `sizeBytes`, where a former attempt stopped; at its end where it is here
   * already. Throws `store-full`, and `artifact-arriving` while another attempt at the same artifact is open.
   */
  receive(id: Hash, sizeBytes: number): Promise<Incoming>;
  ids(): AsyncIterable<Hash>;
  /** Removes every artifact that `keep` does not name; returns the bytes freed. */
  collect(keep: ReadonlySet<Hash>): Promise<number>;
}

/** Somebody who has artifacts and is no member, such as a web server. Fails with `mirror-failed`. */
export interface Mirror {
  /** For people. */
  readonly name: string;
  /** The size that it says; `undefined` where it does not have the artifact. */
  size(id: Hash, signal?: AbortSignal): Promise<number | undefined>;
  /** What it says are the bytes from `offset` on. */
  read(id: Hash, offset: number, signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

/** An append-only list of lines that survives a crash up to the last `append` that resolved. */
export interface Journal {
  /** Lines that it holds. */
  readonly count: number;
  append(lines: readonly string[]): Promise<void>;
  /** Keeps the first `count` lines of what was appended before. */
  truncate(count: number): Promise<void>;
  /** The lines from `from` to before `to`, or all; a torn last line is dropped. Reads little more than these. */
  lines(from?: number, to?: number): AsyncIterable<string>;
  close(): Promise<void>;
}

/** Small named values, written whole or not at all. */
export interface Cells {
  /** `undefined` where nothing was written. */
  read(name: string): Promise<Uint8Array | undefined>;
  write(name: string, bytes: Uint8Array): Promise<void>;
}
