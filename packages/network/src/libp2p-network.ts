/** `Network` over libp2p: TCP, noise for keys and secrecy, yamux for many exchanges over one connection. */
import { networkInterfaces } from 'node:os';
import { noise } from '@chainsafe/libp2p-noise';
import {
  assert,
  type DeviceId,
  type ExchangeLimits,
  type Handler,
  type Network,
  peerUnreachable,
  type ServeLimits,
  toHex,
} from '@folkmoot/core';
import { identify } from '@libp2p/identify';
import type { Connection, PrivateKey, Stream } from '@libp2p/interface';
import { ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { createLibp2p, type Libp2p } from 'libp2p';
import { ask, openStream } from './asking.ts';
import { Connections, isRelayed } from './connections.ts';
import { dial } from './dialling.ts';
import { FrameReader, FrameWriter, type Held } from './frames.ts';
import { DEFAULT_LIMITS, type NetworkLimits, PROTOCOL_PREFIX } from './limits.ts';
import { checkAnnounced, startListening } from './listening.ts';
import { deviceOf, libp2pKey } from './peer-ids.ts';
import { type Gate, gaterFor, OPEN_GATE, Places, placeOfConnection } from './places.ts';
import { BULK_RELAY_BYTES, Reach, type ReachOptions, type RelayLimits } from './reach.ts';
import { inboundStreams, Service } from './serving.ts';

/** Between two looks whether a relay still keeps this node's place. */
const RESERVE_AGAIN_MS = 15_000;

export interface NetworkOptions {
  /** The device key's 32 bytes; the device's id and the libp2p peer id both follow from it. */
  readonly secret: Uint8Array;
  /** Multiaddrs to listen at, such as `/ip4/0.0.0.0/tcp/4801`; port 0 takes a free one. Default: none, dial only. */
  readonly listen?: readonly string[];
  /** Multiaddrs to tell others instead of those listened at, behind a router. */
  readonly announce?: readonly string[];
  readonly limits?: Partial<NetworkLimits>;
  /** How it is reached from behind a router. Default: as it listens, and no help for others. */
  readonly reach?: ReachOptions;
  /** Who may connect; default everybody. Asked again for every connection. */
  readonly gate?: Gate;
  /** Told what a handler of ours throws; the peer learns only that the answer failed. */
  readonly onHandlerError?: (error: unknown, protocol: string, peer: DeviceId) => void;
}

/**
 * Joins the network. Throws `port-taken`, `address-unavailable` or `address-invalid` where it cannot listen.
 */
export async function createNetwork(options: NetworkOptions): Promise<Libp2pNetwork> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  checkAnnounced(options.announce ?? []);
  const key = await libp2pKey(options.secret);
  const places = new Places(limits);
  const own = options.announce?.length ? options.announce : ownAddresses(options.listen ?? []);
  const reach = options.reach && (await Reach.prepare(options.reach, own));
  const libp2p = await startListening(options.listen ?? [], () => configured(key, options, limits, places, reach));
  places.watch(libp2p);
  Reach.confirmOwn(libp2p);
  const device = toHex(key.publicKey.raw);
  const network = new Libp2pNetwork(libp2p, device, limits, options.onHandlerError ?? (() => {}), reach);
  await Promise.all([reach?.untilMapped(libp2p), reach?.keepReserved(libp2p, RESERVE_AGAIN_MS, network.closed)]);
  return network;
}

/** Make it with `createNetwork`. */
export class Libp2pNetwork implements Network {
  readonly self: DeviceId;
  readonly #libp2p: Libp2p;
  readonly #limits: NetworkLimits;
  readonly #onHandlerError: (error: unknown, protocol: string, peer: DeviceId) => void;
  readonly #connections = new Connections();
  readonly #served = new Set<string>();
  readonly #traffic = { sentBytes: 0, receivedBytes: 0 };
  readonly #streams = new Map<Stream, FrameReader>();
  readonly #held = new Map<DeviceId, Held>();
  #maxHeldBytes: number;
  readonly #reach: Reach | undefined;
  readonly #ending = new AbortController();
  #closing: Promise<void> | undefined;

  constructor(
    libp2p: Libp2p,
    self: DeviceId,
    limits: NetworkLimits,
    onHandlerError: (error: unknown, protocol: string, peer: DeviceId) => void,
    reach?: Reach,
  ) {
    this.self = self;
    this.#libp2p = libp2p;
    this.#limits = limits;
    this.#maxHeldBytes = limits.maxHeldBytesPerPeer;
    this.#onHandlerError = onHandlerError;
    libp2p.addEventListener('connection:open', ({ detail }) => this.#connections.add(detail));
    libp2p.addEventListener('connection:close', ({ detail }) => this.#connections.remove(detail));
    for (const connection of libp2p.getConnections()) this.#connections.add(connection);
    this.#reach = reach;
  }

  addresses(): string[] {
    const all = this.#libp2p.getMultiaddrs().map(String);
    return this.#reach ? all.filter((address) => this.#reach!.isForOthers(address)) : all;
  }

  async connect(address: string, signal?: AbortSignal): Promise<DeviceId> {
    if (this.#closing) throw peerUnreachable(address, 'this node is closed');
    const connection = await dial(this.#libp2p, address, this.#limits.dialTimeoutMs, signal);
    this.#connections.add(connection);
    return deviceOf(connection.remotePeer)!;
  }

  peers(): DeviceId[] {
    return this.#connections.peers();
  }

  watchPeers(listener: (peer: DeviceId, connected: boolean) => void): () => void {
    return this.#connections.watch(listener);
  }

  hostOf(peer: DeviceId): string | undefined {
    const connection = this.#connections.to(peer);
    return connection && placeOfConnection(connection);
  }

  disconnect(peer: DeviceId): void {
    for (const connection of this.#connections.allTo(peer)) connection.abort(new Error('sent away'));
  }

  serve(protocol: string, handler: Handler, limits: ServeLimits): void {
    assert(/^[a-z0-9]+(-[a-z0-9]+)*$/.test(protocol), `${protocol} is the name of a protocol`);
    assert(!this.#served.has(protocol), `${protocol} is served once`);
    this.#served.add(protocol);
    // Whoever serves large requests has room for two of them.
    this.#maxHeldBytes = Math.max(this.#maxHeldBytes, 2 * limits.maxRequestBytes);
    const serveStream = async (stream: Stream, connection: Connection) => {
      const peer = deviceOf(connection.remotePeer);
      if (!peer || this.#closing || (limits.bulk && !carriesBulk(connection)))
        return stream.abort(new Error('not served'));
      const onError = (error: unknown) => this.#onHandlerError(error, protocol, peer);
      const { reader, writer } = this.#adopt(stream, peer);
      await service.serve(peer, stream, reader, writer, onError);
    };
    const service = new Service(handler, limits, this.#limits);
    const options = {
      maxInboundStreams: inboundStreams(limits.maxConcurrentPerPeer),
      maxOutboundStreams: this.#limits.maxOutboundStreams,
      runOnLimitedConnection: true,
    };
    // The handler is in place when `handle` returns; what it goes on to do is tell the peer store, in memory.
    this.#libp2p.handle(PROTOCOL_PREFIX + protocol, serveStream, options).catch(() => {});
  }

  async *open(
    peer: DeviceId,
    protocol: string,
    request: Uint8Array,
    limits: ExchangeLimits,
    signal?: AbortSignal,
  ): AsyncIterable<Uint8Array> {
    signal?.throwIfAborted();
    const connection = this.#closing ? undefined : this.#connections.to(peer);
    if (!connection) throw peerUnreachable(peer, 'not connected');
    if (limits.bulk && !carriesBulk(connection))
      throw peerUnreachable(peer, 'only a relay leads to it, and that carries no artifacts');
    const exchange = { peer, protocol, connection };
    const stream = await openStream(exchange, limits.idleMs, this.#limits.maxOutboundStreams, signal);
    const { reader, writer } = this.#adopt(stream);
    yield* ask(exchange, stream, reader, writer, request, limits, signal);
  }

  /** Whether `peer` is reached directly or through a relay; `undefined` where it is not connected. */
  wayTo(peer: DeviceId): 'direct' | 'relayed' | undefined {
    const connection = this.#connections.to(peer);
    return connection && (isRelayed(connection) ? 'relayed' : 'direct');
  }

  /** Aborts when this node closes. */
  get closed(): AbortSignal {
    return this.#ending.signal;
  }

  /** What this node relays for others; `undefined` where it does not. */
  get relaying(): RelayLimits | undefined {
    return this.#reach?.relayLimits();
  }

  /** Whether the routers on the way out keep port numbers, as hole punching wants it; `undefined` where not known. */
  keepsPorts(): boolean | undefined {
    return this.#reach?.keepsPorts();
  }

  traffic(): { sentBytes: number; receivedBytes: number } {
    return { ...this.#traffic };
  }

  /** Bytes received that no exchange has read yet. */
  bufferedBytes(): number {
    let sum = 0;
    for (const reader of this.#streams.values()) sum += reader.bufferedBytes;
    return sum;
  }

  /** Bytes that peers have sent on streams of their own, and that no exchange has taken whole yet. */
  heldBytes(): number {
    let sum = 0;
    for (const { bytes } of this.#held.values()) sum += bytes;
    return sum;
  }

  /** Exchanges that are open, in both directions. */
  get exchanges(): number {
    return this.#streams.size;
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      this.#ending.abort();
      for (const stream of [...this.#streams.keys()]) stream.abort(new Error('this node is closing'));
      await this.#libp2p.stop();
    })();
    return this.#closing;
  }

  /** A stream that `opener` opened, or one of ours. What streams of one peer hold unread is bounded together. */
  #adopt(stream: Stream, opener?: DeviceId): { reader: FrameReader; writer: FrameWriter } {
    const held = opener === undefined ? undefined : this.#heldOf(opener);
    const reader = new FrameReader(stream, this.#traffic, held);
    if (held) held.streams++;
    this.#streams.set(stream, reader);
    let isGone = false;
    const forget = () => {
      if (isGone) return;
      isGone = true;
      this.#streams.delete(stream);
      if (!held) return;
      reader.discard();
      if (--held.streams === 0) this.#held.delete(opener!);
    };
    stream.addEventListener('close', forget);
    if (stream.status !== 'open') forget();
    return { reader, writer: new FrameWriter(stream, this.#traffic) };
  }

  #heldOf(peer: DeviceId): Held {
    const held = this.#held.get(peer) ?? { bytes: 0, maxBytes: this.#maxHeldBytes, streams: 0 };
    this.#held.set(peer, held);
    return held;
  }
}

function addressesOf({ listen = [], announce = [] }: NetworkOptions, reach: Reach | undefined) {
  return { listen: [...listen, ...(reach?.listen() ?? [])], announce: [...announce] };
}

/** At which a machine listens that listens at all its addresses. */
function ownAddresses(listen: readonly string[]): string[] {
  const cards = Object.values(networkInterfaces()).flatMap((card) => card ?? []);
  return listen.flatMap((address) => {
    const family = /^\/ip4\/0\.0\.0\.0\//.test(address) ? 'IPv4' : /^\/ip6\/::\//.test(address) ? 'IPv6' : undefined;
    if (family === undefined) return [address];
    const ip = family === 'IPv4' ? 'ip4' : 'ip6';
    return cards.filter((card) => card.family === family).map((card) => `/${ip}/${card.address}`);
  });
}

function carriesBulk({ limits }: Connection): boolean {
  return limits === undefined || (limits.bytes ?? 0n) >= BigInt(BULK_RELAY_BYTES);
}

function configured(
  privateKey: PrivateKey,
  options: NetworkOptions,
  limits: NetworkLimits,
  places: Places,
  reach: Reach | undefined,
): Promise<Libp2p> {
  return createLibp2p({
    privateKey,
    start: false,
    addresses: addressesOf(options, reach),
    transports: reach?.transports() ?? [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [
      yamux({
        maxInboundStreams: limits.maxInboundStreams,
        maxOutboundStreams: limits.maxOutboundStreams,
        streamOptions: {
          maxStreamWindowSize: limits.windowBytes,
          // A paused stream still gets the window that the peer was promised; with less room than that it would break.
          maxReadBufferLength: 2 * limits.windowBytes,
        },
      }),
    ],
    connectionManager: {
      maxConnections: limits.maxConnections,
      maxIncomingPendingConnections: limits.maxPendingConnections,
      inboundConnectionThreshold: limits.maxNewConnectionsPerSecond,
      dialTimeout: limits.dialTimeoutMs,
      addressDialTimeout: limits.dialTimeoutMs,
      inboundUpgradeTimeout: limits.negotiationTimeoutMs,
      inboundStreamProtocolNegotiationTimeout: limits.negotiationTimeoutMs,
    },
    connectionGater: gaterFor(options.gate ?? OPEN_GATE, places),
    connectionMonitor: { pingTimeout: { minTimeout: limits.pingTimeoutMs } },
    services: { identify: identify(), ping: ping(), ...reach?.services() },
  });
}
