import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { deviceKey, isWorldError, utf8 } from '@folkmoot/core';
import { createNetwork, type Libp2pNetwork, type NetworkOptions } from './libp2p-network.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { deviceOf, peerIdOf } from './peer-ids.ts';

const LOCAL = ['/ip4/127.0.0.1/tcp/0'];
const LIMITS = { idleMs: 3_000, maxMessageBytes: 1 << 20 };
const SERVE = { maxRequestBytes: 1024, maxConcurrentPerPeer: 4 };
const MODULE = JSON.stringify(import.meta.resolve('./libp2p-network.ts'));

test('a device has one key under both names', async (t) => {
  const secret = randomBytes(32);
  const network = await join(t, { secret });
  assert.equal(network.self, deviceKey(secret).id);
  assert.match(network.addresses()[0]!, new RegExp(`^/ip4/127.0.0.1/tcp/[0-9]+/p2p/${peerIdOf(network.self)}$`));
  assert.equal(deviceOf(peerIdOf(network.self)), network.self);
});

test('an address may leave out the key, but not name a foreign one', async (t) => {
  const [a, b, c] = [await join(t), await join(t), await join(t)];
  const bare = b.addresses()[0]!.split('/p2p/')[0]!;
  assert.equal(await a.connect(bare), b.self);
  const foreign = `${bare}/p2p/${peerIdOf(a.self)}`;
  await assert.rejects(c.connect(foreign), (error) => {
    assert.ok(isWorldError(error, 'peer-unreachable'));
    assert.match(error.message, /a foreign key answers there/);
    return true;
  });
  await assert.rejects(b.connect(bare), /the address is that of this device/);
  assert.deepEqual(b.peers(), [a.self]);
});

test('what cannot be listened at is explained', async (t) => {
  const taken = (await join(t)).addresses()[0]!.split('/p2p/')[0]!;
  const listening = (address: string) => createNetwork({ secret: randomBytes(32), listen: [address] });
  await assert.rejects(listening(taken), (error) => isWorldError(error, 'port-taken') && /--port/.test(error.help));
  await assert.rejects(listening('/ip4/192.0.2.1/tcp/0'), (error) => isWorldError(error, 'address-unavailable'));
  await assert.rejects(listening('localhost:80'), (error) => isWorldError(error, 'address-invalid'));
  await assert.rejects(listening('/ip4/127.0.0.1/udp/5'), (error) => isWorldError(error, 'address-invalid'));
  const announcing = createNetwork({ secret: randomBytes(32), announce: ['host:80'] });
  await assert.rejects(announcing, (error) => isWorldError(error, 'address-invalid'));
});

test('a slow reader of 64 MiB holds the sender back; what waits here is bounded', async (t) => {
  const [client, server] = [await join(t), await join(t)];
  const total = 64;
  let made = 0;
  server.serve(
    'flood',
    async function* () {
      for (; made < total; made++) yield new Uint8Array(1 << 20).fill(made);
    },
    SERVE,
  );
  await client.connect(server.addresses()[0]!);
  let peakBytes = 0;
  let read = 0;
  for await (const message of client.open(server.self, 'flood', new Uint8Array(0), LIMITS)) {
    assert.ok(message.every((byte) => byte === read));
    read++;
    for (let i = 0; i < (read % 16 === 1 ? 20 : 1); i++) {
      peakBytes = Math.max(peakBytes, client.bufferedBytes());
      await delay(5);
    }
    assert.ok(made - read < 24, `${made} made, ${read} read`);
  }
  assert.equal(read, total);
  // Two windows: the one under way when we pause, and the one that resuming asks for.
  const bound = 2 * DEFAULT_LIMITS.windowBytes + (1 << 19);
  assert.ok(peakBytes > 1 << 18 && peakBytes < bound, `${peakBytes} bytes waited`);
  assert.equal(client.bufferedBytes(), 0);
});

test('one message may be larger than every buffer', async (t) => {
  const [client, server] = [await join(t), await join(t)];
  const big = new Uint8Array(20_000_000).map((_, i) => i % 251);
  server.serve(
    'echo',
    async function* (_peer, request) {
      yield request;
    },
    { maxRequestBytes: big.length, maxConcurrentPerPeer: 1 },
  );
  await client.connect(server.addresses()[0]!);
  for await (const message of client.open(server.self, 'echo', big, { ...LIMITS, maxMessageBytes: big.length }))
    assert.ok(Buffer.compare(message, big) === 0);
});

test('a refused request of any size does not hang its sender', async (t) => {
  const [client, server] = [await join(t), await join(t)];
  server.serve('echo', async function* () {}, SERVE);
  await client.connect(server.addresses()[0]!);
  const asking = read(client.open(server.self, 'echo', new Uint8Array(30_000_000), LIMITS));
  await assert.rejects(asking, (error) => isWorldError(error, 'message-too-large'));
  await until(() => client.exchanges === 0 && server.exchanges === 0);
});

test('thirty dial one hub at once, and each is heard', async (t) => {
  const hub = await join(t);
  hub.serve(
    'name',
    async function* (peer) {
      yield utf8(peer);
    },
    SERVE,
  );
  const dialers = await Promise.all(Array.from({ length: 30 }, () => join(t, { listen: [] })));
  await Promise.all(dialers.map((dialer) => dialer.connect(hub.addresses()[0]!)));
  const answers = await Promise.all(
    dialers.map((dialer) => read(dialer.open(hub.self, 'name', new Uint8Array(0), LIMITS))),
  );
  assert.deepEqual(
    answers,
    dialers.map(({ self }) => [utf8(self)]),
  );
  assert.equal(hub.peers().length, 30);
});

test('two that dial each other at once are connected once', async (t) => {
  const [a, b] = [await join(t), await join(t)];
  const seen: boolean[] = [];
  a.watchPeers((_peer, connected) => seen.push(connected));
  await Promise.all([a.connect(b.addresses()[0]!), b.connect(a.addresses()[0]!)]);
  await until(() => b.peers().length > 0);
  await delay(100);
  assert.deepEqual([seen, a.peers(), b.peers()], [[true], [b.self], [a.self]]);
  await b.close();
  await until(() => a.peers().length === 0);
  assert.deepEqual(seen, [true, false]);
});

test('what a handler of ours throws is told to us', async (t) => {
  const errors: unknown[] = [];
  const server = await join(t, { onHandlerError: (error, protocol, peer) => errors.push(error, protocol, peer) });
  const client = await join(t);
  const bug = new Error('bug: of ours');
  server.serve(
    'fail',
    async function* () {
      yield await Promise.reject(bug);
    },
    SERVE,
  );
  await client.connect(server.addresses()[0]!);
  await assert.rejects(read(client.open(server.self, 'fail', new Uint8Array(0), LIMITS)), /broke off/);
  assert.deepEqual(errors, [bug, 'fail', client.self]);
});

test('another process: it answers, hangs, is silent, is killed and is gone', async (t) => {
  const client = await join(t);
  const { child, address } = await peerProcess(t);
  const peer = await client.connect(address);
  assert.deepEqual(await read(client.open(peer, 'echo', utf8('hi'), LIMITS)), [utf8('hi')]);
  child.kill('SIGSTOP');
  const startMs = performance.now();
  const asking = read(client.open(peer, 'echo', utf8('hi'), { ...LIMITS, idleMs: 500 }));
  await assert.rejects(asking, (error) => isWorldError(error, 'peer-silent'));
  assert.ok(performance.now() - startMs < 2_800);
  child.kill('SIGCONT');
  const hanging = read(client.open(peer, 'hang', utf8('hi'), LIMITS));
  const code = hanging.then(
    () => 'whole',
    (error) => error.code,
  );
  await delay(200);
  child.kill('SIGKILL');
  assert.match(await code, /^peer-(failed|unreachable)$/);
  await until(() => client.peers().length === 0);
  await assert.rejects(read(client.open(peer, 'echo', utf8('hi'), LIMITS)), /not connected/);
});

test('a process that closes its network ends by itself', async (t) => {
  const server = await join(t);
  const startMs = performance.now();
  const child = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `
    const { createNetwork } = await import(${MODULE});
    const network = await createNetwork({ secret: new Uint8Array(32).fill(9), listen: ['/ip4/127.0.0.1/tcp/0'] });
    await network.connect('${server.addresses()[0]}');
    await network.close();
  `,
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const [status] = await once(child, 'exit');
  assert.equal(status, 0);
  assert.ok(performance.now() - startMs < 8_000);
});

async function join(t: TestContext, options: Partial<NetworkOptions> = {}): Promise<Libp2pNetwork> {
  const network = await createNetwork({ secret: randomBytes(32), listen: LOCAL, ...options });
  t.after(() => network.close());
  return network;
}

/** A device in a process of its own that serves `echo` and `hang`. */
async function peerProcess(t: TestContext) {
  const child = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `
    const { createNetwork } = await import(${MODULE});
    const network = await createNetwork({ secret: new Uint8Array(32).fill(8), listen: ['/ip4/127.0.0.1/tcp/0'] });
    const limits = { maxRequestBytes: 100, maxConcurrentPerPeer: 4 };
    network.serve('echo', async function* (peer, request) { yield request; }, limits);
    network.serve('hang', async function* (peer, request) { yield request; await new Promise(() => {}); }, limits);
    console.log(network.addresses()[0]);
  `,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  t.after(() => child.kill('SIGKILL'));
  const [line] = await once(child.stdout, 'data');
  return { child, address: String(line).trim() };
}

async function read(messages: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

function delay(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}

async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !isSo(); i++) await delay(10);
  assert.ok(isSo(), String(isSo));
}
