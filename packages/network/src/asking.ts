/** The asking side of an exchange: open a stream, send the request, read the answer. */
import {
  type DeviceId,
  type ExchangeLimits,
  messageTooLarge,
  peerBusy,
  peerFailed,
  peerSilent,
  peerUnreachable,
  protocolUnknown,
  type WorldError,
} from '@folkmoot/core';
import type { Connection, Stream } from '@libp2p/interface';
import type { Frame, FrameReader, FrameWriter, Signal } from './frames.ts';
import { PROTOCOL_PREFIX } from './limits.ts';

/** One exchange, for its messages of error. */
export interface Exchange {
  readonly peer: DeviceId;
  readonly protocol: string;
  readonly connection: Connection;
}

/** Opens a stream for `protocol`. Throws `protocol-unknown`, `peer-silent`, `peer-busy`, `peer-unreachable` or `peer-failed`. */
export async function openStream(
  exchange: Exchange,
  idleMs: number,
  maxOutboundStreams: number,
  signal?: AbortSignal,
): Promise<Stream> {
  const timeout = AbortSignal.timeout(idleMs);
  const options = {
    maxOutboundStreams,
    runOnLimitedConnection: true,
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
  };
  try {
    return await exchange.connection.newStream(PROTOCOL_PREFIX + exchange.protocol, options);
  } catch (error) {
    signal?.throwIfAborted();
    const name = error instanceof Error ? error.name : '';
    if (name === 'UnsupportedProtocolError') throw protocolUnknown(exchange.peer, exchange.protocol);
    if (name === 'TooManyOutboundProtocolStreamsError') throw peerBusy(exchange.peer, exchange.protocol);
    if (timeout.aborted) throw peerSilent(exchange.peer, exchange.protocol, idleMs);
    throw brokenOff(exchange);
  }
}

/** Sends `request` over a fresh stream; yields the messages of the answer. Closes the stream in every case. */
export async function* ask(
  exchange: Exchange,
  stream: Stream,
  reader: FrameReader,
  writer: FrameWriter,
  request: Uint8Array,
  limits: ExchangeLimits,
  signal?: AbortSignal,
): AsyncIterable<Uint8Array> {
  let isWhole = false;
  try {
    const sending = writer.message(request, limits.idleMs);
    // A refusal may come before the request has gone out, and then it never will.
    await Promise.race([sending, reader.arrival()]);
    const closing = sending.then((isSent) => (isSent ? stream.close() : undefined));
    closing.catch((error) => stream.abort(asError(error)));
    for (;;) {
      signal?.throwIfAborted();
      const frame = await reader.read(limits.maxMessageBytes, limits.idleMs, signal);
      signal?.throwIfAborted();
      isWhole = frame.kind === 'signal' && frame.signal === 'end';
      if (isWhole) return;
      if (frame.kind !== 'message') throw failureOf(frame, exchange, request, limits);
      yield frame.bytes;
    }
  } finally {
    if (!isWhole) stream.abort(new Error('the asker hung up'));
  }
}

function failureOf(
  frame: Exclude<Frame, { kind: 'message' }>,
  exchange: Exchange,
  request: Uint8Array,
  limits: ExchangeLimits,
): WorldError {
  const { peer, protocol } = exchange;
  switch (frame.kind) {
    case 'silent':
      return peerSilent(peer, protocol, limits.idleMs);
    case 'oversized':
      return messageTooLarge(peer, protocol, frame.sizeBytes, limits.maxMessageBytes);
    case 'closed':
      return brokenOff(exchange);
    case 'signal':
      return refusal(frame.signal, exchange, request);
  }
}

function refusal(signal: Signal, { peer, protocol }: Exchange, request: Uint8Array): WorldError {
  if (signal === 'busy') return peerBusy(peer, protocol);
  // The peer does not say what it would take; less than this.
  if (signal === 'request-too-large') return messageTooLarge(peer, protocol, request.length, request.length - 1);
  return peerFailed(peer, protocol);
}

function brokenOff({ peer, protocol, connection }: Exchange): WorldError {
  return connection.status === 'open' ? peerFailed(peer, protocol) : peerUnreachable(peer, 'the connection closed');
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
