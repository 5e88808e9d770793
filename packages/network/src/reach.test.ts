/** Members that only a relay leads to: they meet and talk; bytes go another way, unless the relay means to carry them. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { isWorldError, utf8 } from '@folkmoot/core';
import { createNetwork, type Libp2pNetwork, type NetworkOptions } from './libp2p-network.ts';
import { BULK_RELAY_BYTES, RELAY_LIMITS, type RelayLimits } from './reach.ts';

const LOCAL = ['/ip4/127.0.0.1/tcp/0'];
const LIMITS = { idleMs: 10_000, maxMessageBytes: 1 << 20 };
const SERVE = { maxRequestBytes: 1024, maxConcurrentPerPeer: 4 };

test('over a relay two members talk, and artifacts are refused at both ends', async (t) => {
  const { a, b } = await meeting(t, RELAY_LIMITS);
  assert.equal(a.wayTo(b.self), 'relayed');
  assert.match(a.hostOf(b.self)!, /^relayed by 127\.0\.0\.1/);
  assert.deepEqual(await read(a, b, 'talk'), [utf8('hi')]);
  const isRefused = (error: unknown) =>
    isWorldError(error, 'peer-unreachable') && /only a relay leads/.test(error.message);
  await assert.rejects(read(a, b, 'bytes', true), isRefused);
  // Whoever asks all the same is not served.
  await assert.rejects(read(a, b, 'bytes'), (error) => isWorldError(error));
});

test('a relay that carries much carries artifacts too', async (t) => {
  const { a, b } = await meeting(t, { ...RELAY_LIMITS, bytes: 16 * BULK_RELAY_BYTES });
  assert.equal(a.wayTo(b.self), 'relayed');
  assert.deepEqual(await read(a, b, 'bytes', true), [utf8('hi')]);
});

test('a relay keeps as many places as it says, and none where it does not relay', async (t) => {
  const { relay } = await meeting(t, { ...RELAY_LIMITS, reservations: 1 });
  const late = await join(t, { listen: LOCAL, reach: { through: [relay.addresses()[0]!] } });
  assert.ok(late.addresses().every((address) => !address.includes('/p2p-circuit')));
  assert.deepEqual(relay.relaying, { ...RELAY_LIMITS, reservations: 1 });
  // On this machine only nobody needs a relay.
  assert.equal((await join(t, { listen: LOCAL, reach: {} })).relaying, undefined);
});

/** Two members, one of whom waits at a relay. */
async function meeting(t: TestContext, limits: RelayLimits) {
  const relay = await join(t, { listen: LOCAL, reach: { relays: limits } });
  const through = [relay.addresses()[0]!];
  const b = await join(t, { reach: { through } });
  b.serve(
    'talk',
    async function* () {
      yield utf8('hi');
    },
    SERVE,
  );
  b.serve(
    'bytes',
    async function* () {
      yield utf8('hi');
    },
    { ...SERVE, bulk: true },
  );
  const a = await join(t, { reach: {} });
  const address = b.addresses().find((known) => known.includes('/p2p-circuit'));
  assert.ok(address, b.addresses().join(' '));
  assert.equal(await a.connect(address), b.self);
  return { relay, a, b };
}

async function join(t: TestContext, options: Omit<NetworkOptions, 'secret'>): Promise<Libp2pNetwork> {
  const network = await createNetwork({ secret: randomBytes(32), ...options });
  t.after(() => network.close());
  return network;
}

async function read(a: Libp2pNetwork, b: Libp2pNetwork, protocol: string, bulk?: boolean): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const message of a.open(b.self, protocol, new Uint8Array(1), { ...LIMITS, ...(bulk && { bulk }) }))
    all.push(message);
  return all;
}
