/** The answering side of an exchange: read the request, run the handler, send what it yields. */
import type { DeviceId, Handler, ServeLimits } from '@folkmoot/core';
import type { Stream } from '@libp2p/interface';
import type { FrameReader, FrameWriter, Signal } from './frames.ts';
import type { NetworkLimits } from './limits.ts';

/** A protocol that this device serves. */
export class Service {
  readonly #handler: Handler;
  readonly #maxRequestBytes: number;
  readonly #maxConcurrentPerPeer: number;
  readonly #admits: (peer: DeviceId) => boolean;
  readonly #limits: NetworkLimits;
  readonly #running = new Map<DeviceId, number>();

  constructor(handler: Handler, served: ServeLimits, limits: NetworkLimits) {
    this.#handler = handler;
    this.#maxRequestBytes = served.maxRequestBytes;
    this.#maxConcurrentPerPeer = served.maxConcurrentPerPeer;
    this.#admits = served.admits ?? (() => true);
    this.#limits = limits;
  }

  /** Serves one stream to its end; `onError` is told what the handler throws. Never rejects. */
  async serve(
    peer: DeviceId,
    stream: Stream,
    reader: FrameReader,
    writer: FrameWriter,
    onError: (error: unknown) => void,
  ): Promise<void> {
    const running = this.#running.get(peer) ?? 0;
    if (running >= this.#maxConcurrentPerPeer || !this.#admits(peer)) return this.#conclude(stream, writer, 'busy');
    this.#running.set(peer, running + 1);
    try {
      const signal = await this.#exchange(peer, stream, reader, writer, onError);
      if (signal) await this.#conclude(stream, writer, signal);
      else stream.abort(new Error('the peer is gone'));
    } finally {
      const left = this.#running.get(peer)! - 1;
      if (left > 0) this.#running.set(peer, left);
      else this.#running.delete(peer);
    }
  }

  /** How to end the answer; `undefined` where nobody listens any more. */
  async #exchange(
    peer: DeviceId,
    stream: Stream,
    reader: FrameReader,
    writer: FrameWriter,
    onError: (error: unknown) => void,
  ): Promise<Signal | undefined> {
    const request = await reader.read(this.#maxRequestBytes, this.#limits.requestIdleMs);
    if (request.kind === 'oversized') return 'request-too-large';
    if (request.kind !== 'message') return undefined;
    const hangUp = new AbortController();
    const onClose = () => hangUp.abort(new Error('the peer hung up'));
    stream.addEventListener('close', onClose);
    if (stream.status !== 'open') onClose();
    try {
      return await this.#answer(this.#handler(peer, request.bytes, hangUp.signal), writer, hangUp);
    } catch (error) {
      if (!hangUp.signal.aborted) onError(error);
      return hangUp.signal.aborted ? undefined : 'failed';
    } finally {
      stream.removeEventListener('close', onClose);
    }
  }

  async #answer(
    messages: AsyncIterable<Uint8Array>,
    writer: FrameWriter,
    hangUp: AbortController,
  ): Promise<Signal | undefined> {
    for await (const message of messages) {
      if (hangUp.signal.aborted) return undefined;
      if (!(await writer.message(message, this.#limits.answerIdleMs)))
        hangUp.abort(new Error('the peer takes nothing'));
      if (hangUp.signal.aborted) return undefined;
    }
    return hangUp.signal.aborted ? undefined : 'end';
  }

  async #conclude(stream: Stream, writer: FrameWriter, signal: Signal): Promise<void> {
    const isSent = await writer.signal(signal, this.#limits.answerIdleMs);
    try {
      if (!isSent) throw new Error('the peer takes nothing');
      await stream.close({ signal: AbortSignal.timeout(this.#limits.answerIdleMs) });
    } catch (error) {
      stream.abort(error instanceof Error ? error : new Error(String(error)));
    }
    abortUnlessClosed(stream, this.#limits.requestIdleMs);
  }
}

/** Streams of a refused protocol that a peer may have open beside the served ones, so that it can be told. */
export function inboundStreams(maxConcurrentPerPeer: number): number {
  return 2 * maxConcurrentPerPeer + 32;
}

/** A peer that keeps its side open would keep the stream in our memory. */
function abortUnlessClosed(stream: Stream, graceMs: number): void {
  if (stream.status !== 'open' && stream.status !== 'closing') return;
  const timer = setTimeout(() => stream.abort(new Error('the peer did not close its side')), graceMs);
  timer.unref();
  stream.addEventListener('close', () => clearTimeout(timer));
}
