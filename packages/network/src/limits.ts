/** Every bound of the network in one place. A peer that goes beyond one is refused; it cannot make us hold more. */

export const PROTOCOL_PREFIX = '/folkmoot/1/';

export interface NetworkLimits {
  /** Connections, in both directions together. */
  readonly maxConnections: number;
  /** Connections that have not yet proved their key; more are dropped. */
  readonly maxPendingConnections: number;
  /** New connections per second from one address. Members behind one router share it. */
  readonly maxNewConnectionsPerSecond: number;
  /** Connections from one place (`placeOf`); the places of this machine's own members are bounded by the whole alone. */
  readonly maxConnectionsPerPlace: number;
  /** Connections of one device. Two that dial each other at once have two for a moment. */
  readonly maxConnectionsPerPeer: number;
  /** Unread bytes that the streams which a peer opened may hold here, all together. */
  readonly maxHeldBytesPerPeer: number;
  /** Time to reach a peer and prove both keys. */
  readonly dialTimeoutMs: number;
  /** Time that a peer has to prove its key, or to name a protocol on a stream that it opened. */
  readonly negotiationTimeoutMs: number;
  /** Longest wait for a request on a stream that was opened for it, and for the asker to close its side at the end. */
  readonly requestIdleMs: number;
  /** Longest wait for a peer that takes nothing of an answer. */
  readonly answerIdleMs: number;
  /** Longest wait for the answer to a ping before a connection counts as dead. A busy machine is not a dead one. */
  readonly pingTimeoutMs: number;
  /** Streams of one protocol that this device opens over one connection. */
  readonly maxOutboundStreams: number;
  /** Streams of all protocols that a peer may have open over one connection. */
  readonly maxInboundStreams: number;
  /** Bytes on their way over one stream: the most throughput times round trip that it can use. */
  readonly windowBytes: number;
}

export const DEFAULT_LIMITS: NetworkLimits = {
  maxConnections: 300,
  maxPendingConnections: 128,
  maxNewConnectionsPerSecond: 100,
  maxConnectionsPerPlace: 32,
  maxConnectionsPerPeer: 3,
  maxHeldBytesPerPeer: 4 << 20,
  dialTimeoutMs: 10_000,
  negotiationTimeoutMs: 5_000,
  requestIdleMs: 10_000,
  answerIdleMs: 60_000,
  pingTimeoutMs: 20_000,
  maxOutboundStreams: 256,
  maxInboundStreams: 96,
  windowBytes: 4 << 20,
};
