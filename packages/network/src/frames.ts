/**
 * Messages on a libp2p stream: four bytes of length, big-endian, then the bytes.
 *
 * Lengths from 2^31 up are not lengths but signals, without bytes: an end that is meant is thus told from a connection
 * that merely closed, and a refusal from a failure. Both directions wait for the other end; nothing is unbounded.
 */
import { concat } from '@folkmoot/core';
import type { Stream, StreamMessageEvent } from '@libp2p/interface';
import { ByteQueue } from './byte-queue.ts';

export const PREFIX_BYTES = 4;
const FIRST_SIGNAL = 2 ** 31;
/** Written at once; what does not fit the peer's window waits in a buffer of about this size. */
const PIECE_BYTES = 1 << 17;
/** Unread bytes at which the peer is told to wait. What is under way then, a window, still comes. */
const PAUSE_AT_BYTES = 1 << 18;
const RESUME_BELOW_BYTES = 1 << 16;

const SIGNALS = ['end', 'busy', 'failed', 'request-too-large'] as const;
/** How an answer ends; anything but `end` says that it is not whole. */
export type Signal = (typeof SIGNALS)[number];

export type Frame =
  | { readonly kind: 'message'; readonly bytes: Uint8Array }
  | { readonly kind: 'signal'; readonly signal: Signal }
  /** Announced, not read: the stream is of no more use. */
  | { readonly kind: 'oversized'; readonly sizeBytes: number }
  /** The stream ended: between frames, inside one, or by a reset. */
  | { readonly kind: 'closed' }
  | { readonly kind: 'silent' };

/** Counts the bytes of our frames, for the whole network. */
export interface Traffic {
  sentBytes: number;
  receivedBytes: number;
}

/** What all streams that one peer opened hold here unread. */
export interface Held {
  bytes: number;
  readonly maxBytes: number;
  streams: number;
}

/** Reads frames. Listens from its making on, so it must be made as soon as the stream is there. */
export class FrameReader {
  readonly #stream: Stream;
  readonly #traffic: Traffic;
  readonly #held: Held | undefined;
  readonly #queue = new ByteQueue();
  /** Of the message that is being read. */
  #partialBytes = 0;
  #isClosed = false;
  #isResuming = false;
  #wake = () => {};

  /** `held`: shared with the other streams of the peer; one that goes beyond its bound is closed. */
  constructor(stream: Stream, traffic: Traffic, held?: Held) {
    this.#stream = stream;
    this.#traffic = traffic;
    this.#held = held;
    stream.addEventListener('message', (event) => this.#receive(event));
    const close = () => {
      this.#isClosed = true;
      this.#wake();
    };
    stream.addEventListener('close', close);
    stream.addEventListener('remoteCloseWrite', close);
    if (stream.status !== 'open' || stream.remoteWriteStatus !== 'writable') close();
  }

  /** Bytes that came and were not read, here and in the stream. */
  get bufferedBytes(): number {
    return this.#queue.length + this.#stream.readBufferLength;
  }

  /**
   * The next frame; `idleMs` is the longest silence inside or before it. A message above `maxBytes` is reported by its
   * announced size before anything is allocated for it. An aborted `signal` reads as `silent`.
   */
  async read(maxBytes: number, idleMs: number, signal?: AbortSignal): Promise<Frame> {
    const prefix = await this.#take(PREFIX_BYTES, idleMs, signal);
    if (!(prefix instanceof Uint8Array)) return { kind: prefix };
    const length = new DataView(prefix.buffer, prefix.byteOffset).getUint32(0);
    if (length >= FIRST_SIGNAL) {
      const name = SIGNALS[length - FIRST_SIGNAL];
      return name ? { kind: 'signal', signal: name } : { kind: 'closed' };
    }
    if (length > maxBytes) return { kind: 'oversized', sizeBytes: length };
    const bytes = await this.#take(length, idleMs, signal);
    return bytes instanceof Uint8Array ? { kind: 'message', bytes } : { kind: bytes };
  }

  /** Resolves when there is something to read, or never will be. */
  arrival(): Promise<void> {
    return new Promise((resolve) => {
      if (this.bufferedBytes > 0 || this.#isClosed) resolve();
      else this.#wake = resolve;
    });
  }

  /** Drops what was not read: nobody will. */
  discard(): void {
    this.#partialBytes += this.#queue.length;
    this.#queue.clear();
    this.#releasePartial();
  }

  /** A message that is not whole yet is held all the same. */
  #releasePartial(): void {
    if (this.#held) this.#held.bytes -= this.#partialBytes;
    this.#partialBytes = 0;
  }

  #receive({ data }: StreamMessageEvent): void {
    const chunks = data instanceof Uint8Array ? [data] : data;
    for (const chunk of chunks) this.#queue.push(chunk);
    this.#traffic.receivedBytes += data.byteLength;
    if (this.#held) this.#held.bytes += data.byteLength;
    if (this.#held && this.#held.bytes > this.#held.maxBytes) return this.#stream.abort(new Error('too much at once'));
    this.#pauseWhereFull();
    this.#wake();
  }

  #pauseWhereFull(): void {
    // Pausing inside `resume` is undone by its end, which asks the peer for another window.
    if (this.#isResuming || this.#queue.length < PAUSE_AT_BYTES || this.#stream.readStatus !== 'readable') return;
    this.#stream.pause();
  }

  #resumeWhereLow(): void {
    if (this.#queue.length >= RESUME_BELOW_BYTES || this.#stream.readStatus !== 'paused') return;
    this.#isResuming = true;
    this.#stream.resume();
    this.#isResuming = false;
    this.#pauseWhereFull();
  }

  /** Exactly `length` bytes in memory of their own, collected as they come. */
  async #take(length: number, idleMs: number, signal?: AbortSignal): Promise<Uint8Array | 'closed' | 'silent'> {
    const taken = new ByteQueue();
    while (taken.length < length) {
      this.#resumeWhereLow();
      const part = this.#queue.take(length - taken.length);
      taken.push(part);
      this.#partialBytes += part.length;
      if (part.length > 0) continue;
      if (this.#isClosed) return 'closed';
      if (!(await this.#waitForBytes(idleMs, signal))) return 'silent';
    }
    this.#releasePartial();
    return concat([...taken]);
  }

  #waitForBytes(idleMs: number, signal?: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (came: boolean) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#wake = () => {};
        resolve(came);
      };
      const onAbort = () => finish(false);
      const timer = setTimeout(() => finish(false), idleMs);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#wake = () => finish(true);
      if (signal?.aborted) finish(false);
    });
  }
}

/** Writes frames, one at a time, as fast as the peer takes them. */
export class FrameWriter {
  readonly #stream: Stream;
  readonly #traffic: Traffic;

  constructor(stream: Stream, traffic: Traffic) {
    this.#stream = stream;
    this.#traffic = traffic;
  }

  /** `false` where the stream closed, or the peer took nothing for `idleMs`. `bytes` must not change afterwards. */
  async message(bytes: Uint8Array, idleMs: number): Promise<boolean> {
    const head = concat([prefix(bytes.length), bytes.subarray(0, PIECE_BYTES)]);
    if (!(await this.#send(head, idleMs))) return false;
    for (let at = PIECE_BYTES; at < bytes.length; at += PIECE_BYTES)
      if (!(await this.#send(bytes.subarray(at, at + PIECE_BYTES), idleMs))) return false;
    return true;
  }

  signal(signal: Signal, idleMs: number): Promise<boolean> {
    return this.#send(prefix(FIRST_SIGNAL + SIGNALS.indexOf(signal)), idleMs);
  }

  async #send(bytes: Uint8Array, idleMs: number): Promise<boolean> {
    if (this.#stream.writeStatus !== 'writable') return false;
    this.#traffic.sentBytes += bytes.length;
    try {
      return this.#stream.send(bytes) || (await this.#waitForDrain(idleMs));
    } catch {
      return false;
    }
  }

  /** Not the stream's own `onDrain`: after its first use it no longer waits. */
  #waitForDrain(idleMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (isOpen: boolean) => {
        clearTimeout(timer);
        this.#stream.removeEventListener('drain', onDrain);
        this.#stream.removeEventListener('close', onClose);
        resolve(isOpen);
      };
      const onDrain = () => finish(true);
      const onClose = () => finish(false);
      const timer = setTimeout(onClose, idleMs);
      this.#stream.addEventListener('drain', onDrain);
      this.#stream.addEventListener('close', onClose);
    });
  }
}

function prefix(value: number): Uint8Array {
  const bytes = new Uint8Array(PREFIX_BYTES);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
