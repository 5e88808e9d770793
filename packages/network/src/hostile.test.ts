/** Peers that break the protocol on every layer: raw TCP, libp2p streams, our frames. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { noise } from '@chainsafe/libp2p-noise';
import { fromHex, isWorldError, utf8 } from '@folkmoot/core';
import { generateKeyPair } from '@libp2p/crypto/keys';
import type { Connection, Stream } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p, type Libp2p } from 'libp2p';
import { createNetwork, type Libp2pNetwork, type NetworkOptions } from './libp2p-network.ts';
import { DEFAULT_LIMITS } from './limits.ts';

const QUICK = { requestIdleMs: 600, answerIdleMs: 500, negotiationTimeoutMs: 1500 };
const SERVE = { maxRequestBytes: 1024, maxConcurrentPerPeer: 2 };
const LIMITS = { idleMs: 1_000, maxMessageBytes: 1024 };

const stray: unknown[] = [];
process.on('unhandledRejection', (reason) => stray.push(reason));
process.on('uncaughtException', (error) => stray.push(error));

test('garbage before any protocol neither harms nor stays', async (t) => {
  const { server, handled } = await serving(t);
  const port = Number(server.addresses()[0]!.split('/')[4]);
  const sockets: Socket[] = [];
  const attacks = [
    '',
    '\x13/multistream/1.0.0\n',
    'GET / HTTP/1.1\r\n\r\n',
    '\xff'.repeat(100_000),
    '\x13/multistream/1.0.0\n\x07/noise\n\xff\xff',
  ];
  for (const attack of [...attacks, ...Array.from({ length: 20 }, () => randomBytes(1 + Math.random() * 3000))]) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    await once(socket, 'connect');
    socket.write(typeof attack === 'string' ? Buffer.from(attack, 'latin1') : attack);
    sockets.push(socket);
  }
  const honest = await join(t);
  await honest.connect(server.addresses()[0]!);
  assert.deepEqual(await read(honest, server, utf8('hi')), [utf8('hi')]);
  await until(() => sockets.every((socket) => socket.destroyed || socket.readableEnded || socket.closed));
  assert.deepEqual([handled(), server.peers(), stray], [1, [honest.self], []]);
});

test('a request that is truncated, late, too long or never ends costs one stream for a moment', async (t) => {
  const { server, handled } = await serving(t);
  const evil = await rawPeer(t);
  const connection = await evil.dial(multiaddr(server.addresses()[0]!));
  const open = () => connection.newStream('/folkmoot/1/echo', { maxOutboundStreams: 500 });
  const frames = ['', '00', '0000', '00000010ff', 'ffffffff', '80000000', '7fffffff', '00000401'];
  for (const frame of frames) {
    const stream = await open();
    if (frame) stream.send(fromHex(frame));
    await until(() => server.exchanges === 0 && stream.status !== 'open');
    const closing = await open();
    if (frame) closing.send(fromHex(frame));
    await closing.close();
    await until(() => server.exchanges === 0);
  }
  assert.deepEqual([handled(), server.bufferedBytes(), stray], [0, 0, []]);
  assert.deepEqual(await answerOf(await open(), '7fffffff'), fromHex('80000003'), 'told that it is too large');
});

test('an asker that takes nothing, or keeps its side open, is given up', async (t) => {
  const { server } = await serving(t);
  server.serve(
    'flood',
    async function* () {
      for (let i = 0; i < 1000; i++) yield new Uint8Array(1 << 16);
    },
    SERVE,
  );
  const evil = await rawPeer(t);
  const connection = await evil.dial(multiaddr(server.addresses()[0]!));
  const deaf = await connection.newStream('/folkmoot/1/flood');
  deaf.pause();
  deaf.send(fromHex('00000000'));
  const open = await connection.newStream('/folkmoot/1/echo');
  assert.deepEqual(await answerOf(open, '0000000161'), fromHex('000000016180000000'));
  await until(() => server.exchanges === 0);
  assert.deepEqual(stray, []);
});

test('a swarm of streams from one peer is bounded, and the others are served', async (t) => {
  const { server } = await serving(t);
  const [evil, honest] = [await rawPeer(t), await join(t)];
  const connection = await evil.dial(multiaddr(server.addresses()[0]!));
  const opening = Promise.allSettled(
    Array.from({ length: 300 }, () => connection.newStream('/folkmoot/1/echo', { maxOutboundStreams: 500 })),
  );
  await honest.connect(server.addresses()[0]!);
  assert.deepEqual(await read(honest, server, utf8('hi')), [utf8('hi')]);
  assert.ok(server.exchanges <= 2 * SERVE.maxConcurrentPerPeer + 32 + 1, `${server.exchanges} are open`);
  await opening;
  await until(() => server.exchanges === 0);
  assert.deepEqual(stray, []);
});

test('what one peer makes us hold is bounded, whatever it opens and sends; the others are served', async (t) => {
  const { server } = await serving(t);
  for (const protocol of ['a', 'b', 'c', 'd'])
    server.serve(protocol, async function* () {}, { maxRequestBytes: 1 << 20, maxConcurrentPerPeer: 64 });
  const [evil, honest] = [await rawPeer(t), await join(t)];
  let peakBytes = 0;
  const watching = setInterval(() => {
    peakBytes = Math.max(peakBytes, server.heldBytes(), server.bufferedBytes());
  }, 1);
  t.after(() => clearInterval(watching));
  // A request that never becomes whole, on as many streams as there are, each as full as its window.
  const half = new Uint8Array(1 << 18);
  new DataView(half.buffer).setUint32(0, 1 << 20);
  const address = multiaddr(server.addresses()[0]!);
  const connections = await Promise.all(Array.from({ length: 3 }, () => evil.dial(address, { force: true })));
  const flood = async (connection: Connection, i: number) => {
    const stream = await connection.newStream(`/folkmoot/1/${'abcd'[i % 4]}`, { maxOutboundStreams: 500 });
    for (let at = 0; at < half.length; at += 1 << 15) stream.send(half.subarray(at, at + (1 << 15)));
  };
  await honest.connect(server.addresses()[0]!);
  for (let i = 0; i < 80; i++) {
    await Promise.allSettled(connections.map((connection) => flood(connection, i)));
    if (i % 16 === 0) assert.deepEqual(await read(honest, server, utf8('hi')), [utf8('hi')]);
  }
  await until(() => peakBytes > DEFAULT_LIMITS.maxHeldBytesPerPeer / 2);
  // What streams were told to wait for may still come, a window each: as many as fill the bound once more.
  const bound = 2 * DEFAULT_LIMITS.maxHeldBytesPerPeer + (1 << 18);
  assert.ok(peakBytes <= bound, `${peakBytes} bytes were held`);
  await until(() => server.exchanges === 0 && server.bufferedBytes() === 0);
  assert.deepEqual([server.heldBytes(), stray], [0, []]);
});

test('one device has few connections, and whom the gate does not admit has none', async (t) => {
  const shut = new Set<string>();
  const server = await join(t, { gate: { admitsDevice: (device) => !shut.has(device), admitsPlace: () => true } });
  const evil = await rawPeer(t);
  const address = multiaddr(server.addresses()[0]!);
  for (let i = 0; i < 8; i++) await evil.dial(address, { force: true }).catch(() => {});
  await until(() => evil.getConnections().length <= DEFAULT_LIMITS.maxConnectionsPerPeer);
  const [device] = server.peers();
  assert.equal(server.hostOf(device!), 'loopback');
  shut.add(device!);
  server.disconnect(device!);
  await until(() => evil.getConnections().length === 0 && server.peers().length === 0);
  await evil.dial(address, { force: true }).catch(() => {});
  await until(() => evil.getConnections().length === 0);
  assert.deepEqual([server.peers(), stray], [[], []]);
});

test('an answer that lies about its length, breaks off or stops is an error with a code', async (t) => {
  const evil = await rawPeer(t);
  const client = await join(t);
  let behave: (stream: Stream) => unknown = () => {};
  await evil.handle('/folkmoot/1/evil', async (stream) => void behave(stream));
  const address = evil.getMultiaddrs()[0]!.toString();
  const peer = await client.connect(address);
  const outcome = async (conduct: (stream: Stream) => unknown) => {
    behave = conduct;
    const got: number[] = [];
    try {
      for await (const message of client.open(peer, 'evil', utf8('x'), LIMITS)) got.push(message.length);
      return [...got, 'whole'];
    } catch (error) {
      return [...got, isWorldError(error) ? error.code : error];
    }
  };
  const sending = (hex: string, end?: 'close' | 'abort') => async (stream: Stream) => {
    stream.send(fromHex(hex));
    if (end === 'close') await stream.close();
    if (end === 'abort') setTimeout(() => stream.abort(new Error('evil')), 50);
  };
  assert.deepEqual(await outcome(sending('000000016180000000', 'close')), [1, 'whole']);
  assert.deepEqual(await outcome(sending('0000000161', 'close')), [1, 'peer-failed']);
  assert.deepEqual(await outcome(sending('0000000161', 'abort')), [1, 'peer-failed']);
  assert.deepEqual(await outcome(sending('000001006161')), ['peer-silent']);
  assert.deepEqual(await outcome(sending('000001006161', 'close')), ['peer-failed']);
  assert.deepEqual(await outcome(sending('0000000161000004016161')), [1, 'message-too-large']);
  assert.deepEqual(await outcome(sending('7fffffff')), ['message-too-large']);
  assert.deepEqual(await outcome(sending('ffffffff')), ['peer-failed']);
  assert.deepEqual(await outcome(sending('80000001')), ['peer-busy']);
  assert.deepEqual(await outcome(() => {}), ['peer-silent']);
  await until(() => client.exchanges === 0);
  assert.deepEqual([client.bufferedBytes(), stray], [0, []]);
});

test('a peer whose key is not that of a device is sent away', async (t) => {
  const { server } = await serving(t);
  const stranger = await rawPeer(t, 'secp256k1');
  const client = await join(t);
  await stranger.dial(multiaddr(server.addresses()[0]!)).catch(() => {});
  await until(() => stranger.getConnections().length === 0);
  await assert.rejects(client.connect(stranger.getMultiaddrs()[0]!.toString()), /key is not that of a device/);
  assert.deepEqual([server.peers(), client.peers(), stray], [[], [], []]);
});

async function join(t: TestContext, options: Partial<NetworkOptions> = {}): Promise<Libp2pNetwork> {
  const listen = ['/ip4/127.0.0.1/tcp/0'];
  const network = await createNetwork({ secret: randomBytes(32), listen, limits: QUICK, ...options });
  t.after(() => network.close());
  return network;
}

async function serving(t: TestContext): Promise<{ server: Libp2pNetwork; handled: () => number }> {
  const server = await join(t);
  let count = 0;
  server.serve(
    'echo',
    async function* (_peer, request) {
      count++;
      yield request;
    },
    SERVE,
  );
  return { server, handled: () => count };
}

/** libp2p without our manners. */
async function rawPeer(t: TestContext, type: 'Ed25519' | 'secp256k1' = 'Ed25519'): Promise<Libp2p> {
  const key = type === 'Ed25519' ? await generateKeyPair('Ed25519') : await generateKeyPair('secp256k1');
  const libp2p = await createLibp2p({
    privateKey: key,
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
  });
  t.after(() => libp2p.stop());
  return libp2p;
}

async function read(client: Libp2pNetwork, server: Libp2pNetwork, request: Uint8Array): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const message of client.open(server.self, 'echo', request, { ...LIMITS, idleMs: 10_000 }))
    all.push(message);
  return all;
}

/** All that comes back for the bytes of `hex`, without closing our side. */
async function answerOf(stream: Stream, hex: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  stream.addEventListener('message', ({ data }) => parts.push(data.subarray()));
  stream.send(fromHex(hex));
  await new Promise((resolve) => stream.addEventListener('remoteCloseWrite', resolve));
  return new Uint8Array(Buffer.concat(parts));
}

async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !isSo(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(isSo(), String(isSo));
}
