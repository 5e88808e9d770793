/** What nemeses ask of the simulated network: cuts of every kind, tails, doubles, overtaking, thin lines. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromUtf8, isWorldError, type Network, SeededRandom, sha256, utf8 } from '@folkmoot/core';
import { SimClock } from './sim-clock.ts';
import { Air, type Conditions, GOOD_CONDITIONS } from './sim-link.ts';
import { SimNetwork } from './sim-network.ts';

const LIMITS = { idleMs: 5_000, maxMessageBytes: 1 << 20 };
const SERVE = { maxRequestBytes: 1000, maxConcurrentPerPeer: 64 };

test('a one-way cut stops one direction: who cannot hear is not answered, the other way nothing arrives', async () => {
  const { clock, hub, networks } = await connected(2);
  const [a, b] = networks as [Network, Network];
  const heard: string[] = [];
  for (const network of [a, b]) network.serve('echo', (_peer, request) => told(heard, network.self, request), SERVE);
  hub.cut('mute', (from) => from === a.self);
  assert.equal(await clock.drive(ask(a, b, 'lost')), 'peer-silent');
  assert.deepEqual(heard, []);
  assert.equal(await clock.drive(ask(b, a, 'heard')), 'peer-silent');
  assert.deepEqual(heard, [`${a.self.slice(0, 4)} heard`]);
  hub.mend('mute');
  assert.equal(await clock.drive(ask(b, a, 'again')), 'again');
});

test('in a partial partition two cannot reach each other, and both reach the third', async () => {
  const { clock, hub, networks } = await connected(3);
  const [a, b, c] = networks as [Network, Network, Network];
  for (const network of networks) network.serve('echo', (_peer, request) => told([], '', request), SERVE);
  const apart = new Set([a.self, b.self]);
  hub.cut('partial', (from, to) => apart.has(from) && apart.has(to));
  assert.equal(await clock.drive(ask(a, b, 'x')), 'peer-silent');
  assert.equal(await clock.drive(ask(a, c, 'x')), 'x');
  assert.equal(await clock.drive(ask(c, b, 'x')), 'x');
});

test('cuts end one by one', async () => {
  const { hub, networks } = await connected(2);
  const [a, b] = networks as [Network, Network];
  hub.cut('one', () => true);
  hub.cut('two', () => true);
  hub.mend('one');
  assert.equal(hub.link(a.self, b.self)!.cut, true);
  hub.mend('two');
  assert.equal(hub.link(a.self, b.self)!.cut, false);
});

test('with a tail a few delays are very long, and half of the doublings double again', () => {
  const air = new Air(
    new SimClock(),
    new SeededRandom('tail'),
    conditions({ delayMs: { min: 10, max: 10 }, tail: 0.5 }),
  );
  const delays = Array.from({ length: 4000 }, () => air.delayMs());
  const part = (atLeast: number) => delays.filter((ms) => ms >= atLeast).length / delays.length;
  assert.ok(Math.abs(part(20) - 0.5) < 0.03);
  assert.ok(Math.abs(part(80) - 0.125) < 0.02);
  assert.ok(Math.max(...delays) >= 1280);
});

test('requests that are doubled arrive twice and are answered once', async () => {
  const { clock, hub, networks } = await connected(2);
  const [a, b] = networks as [Network, Network];
  const heard: string[] = [];
  b.serve('echo', (_peer, request) => told(heard, 'b', request), SERVE);
  hub.change({ duplicate: 1 });
  assert.equal(await clock.drive(ask(a, b, 'twice')), 'twice');
  await clock.run(clock.now() + 5000);
  assert.deepEqual(heard, ['b twice', 'b twice']);
});

test('exchanges overtake each other where order is not kept, and do not where it is', async () => {
  const orders = [];
  for (const reorder of [0, 1]) {
    const { clock, hub, networks } = await connected(2);
    const [a, b] = networks as [Network, Network];
    const heard: string[] = [];
    b.serve('echo', (_peer, request) => told(heard, 'b', request), SERVE);
    hub.change({ reorder, delayMs: { min: 5, max: 5 } });
    await clock.drive(Promise.all(Array.from({ length: 12 }, (_, i) => ask(a, b, String(i).padStart(2, '0')))));
    orders.push(heard.join() === [...heard].sort().join());
  }
  assert.deepEqual(orders, [true, false]);
});

test('a thin line is one device’s own', () => {
  const air = new Air(new SimClock(), new SeededRandom('thin'), conditions({ delayMs: { min: 0, max: 0 } }));
  air.slowLines.set('slow', 2);
  assert.equal(air.transferMs('slow', 1000), 500);
  assert.equal(air.transferMs('quick', 1000), 0);
});

function conditions(change: Partial<Conditions>): Conditions {
  return { ...GOOD_CONDITIONS, ...change };
}

async function connected(count: number) {
  const clock = new SimClock();
  const hub = new SimNetwork(clock, new SeededRandom('weather'));
  const networks = Array.from({ length: count }, (_, i) => hub.join(sha256(utf8(`device ${i}`))));
  for (const one of networks)
    for (const other of networks) if (one.self < other.self) await clock.drive(one.connect(other.addresses()[0]!));
  return { clock, hub, networks };
}

async function* told(heard: string[], who: string, request: Uint8Array) {
  heard.push(`${who.slice(0, 4)} ${fromUtf8(request)}`);
  yield request;
}

/** The answer, or the code of what went wrong. */
async function ask(from: Network, to: Network, text: string): Promise<string> {
  try {
    let answer = '';
    for await (const message of from.open(to.self, 'echo', utf8(text), LIMITS)) answer += fromUtf8(message);
    return answer;
  } catch (error) {
    if (isWorldError(error)) return error.code;
    throw error;
  }
}
