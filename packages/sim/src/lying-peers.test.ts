import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  canonicalBytes,
  fromUtf8,
  hashOf,
  isWorldError,
  type Mirror,
  type Network,
  SeededRandom,
  sha256,
} from '@folkmoot/core';
import { Artifacts } from '@folkmoot/node';
import { SimClock } from './sim-clock.ts';
import { SimMachine } from './sim-machine.ts';
import { SimNetwork } from './sim-network.ts';

const BYTES = Uint8Array.from({ length: 700_000 }, (_, i) => (i * 31) % 251);
const ID = sha256(BYTES);
const OPTIONS = { maxBytes: BYTES.length };

test('a flipped byte is dropped, and the artifact is fetched from somebody else', async () => {
  const { clock, asker, asked } = await world(async (network) =>
    serveBytes(network, () => BYTES.map((byte, i) => (i === 99 ? byte ^ 1 : byte))),
  );
  assert.deepEqual(await clock.drive(asker.get(ID, { ...OPTIONS, from: [asked.liar] })), BYTES);
  assert.deepEqual(asked.order.slice(0, 1), [asked.liar]);
});

test('a liar that breaks off half-way cannot spoil what the others send', async () => {
  const { clock, asker, asked } = await world(async (network) => {
    serveBytes(network, () => BYTES.map((byte) => byte ^ 1), 400_000);
  });
  assert.deepEqual(await clock.drive(asker.get(ID, { ...OPTIONS, from: [asked.liar] })), BYTES);
});

test('an offer above the limit is refused before anything is allocated', async () => {
  const { clock, asker, asked, machine } = await world(async (network) =>
    serveMessages(network, async function* () {
      yield canonicalBytes({ size: Number.MAX_SAFE_INTEGER });
      yield new Uint8Array(256 * 1024);
    }),
  );
  assert.deepEqual(await clock.drive(asker.get(ID, { ...OPTIONS, from: [asked.liar] })), BYTES);
  assert.equal(machine.disk.incoming.size, 0);
  assert.deepEqual(asked.rooms, [BYTES.length]);
});

const NONSENSE: [string, () => AsyncGenerator<Uint8Array>][] = [
  ['nothing', async function* () {}],
  [
    'no JSON',
    async function* () {
      yield Uint8Array.of(0xff, 0xfe);
    },
  ],
  [
    'null',
    async function* () {
      yield canonicalBytes(null);
    },
  ],
  [
    'a size below one',
    async function* () {
      yield canonicalBytes({ size: -5 });
    },
  ],
  [
    'an exception',
    // biome-ignore lint/correctness/useYield: it fails before it has anything to say
    async function* () {
      throw new Error('a bug of the liar');
    },
  ],
  [
    'more than it announced',
    async function* () {
      yield canonicalBytes({ size: 10 });
      yield new Uint8Array(11);
    },
  ],
];
for (const [what, answer] of NONSENSE)
  test(`a peer that answers with ${what} is passed over`, async () => {
    const { clock, asker, asked } = await world(async (network) => serveMessages(network, answer));
    assert.deepEqual(await clock.drive(asker.get(ID, { ...OPTIONS, from: [asked.liar] })), BYTES);
  });

test('two who want one artifact share a transfer; the one who gives up takes nothing from the other', async () => {
  const { clock, asker, asked } = await world(async (network) => serveBytes(network, () => BYTES));
  const first = new AbortController();
  const impatient = asker.get(ID, { ...OPTIONS, from: [asked.liar], signal: first.signal }).catch((error) => error);
  const patient = asker.get(ID, OPTIONS);
  first.abort(new Error('no longer owed'));
  assert.deepEqual(await clock.drive(patient), BYTES);
  assert.equal((await clock.drive(impatient)).message, 'no longer owed');
});

test('whoever waits for another’s transfer can still give up', async () => {
  const { clock, asker } = await world(async () => {}, false);
  void asker.get(ID, OPTIONS).catch(() => {});
  const giveUp = new AbortController();
  clock.schedule(100, () => giveUp.abort(new Error('too late')));
  const begunMs = clock.now();
  await clock.drive(assert.rejects(asker.get(ID, { ...OPTIONS, signal: giveUp.signal }), /too late/));
  assert.ok(clock.now() - begunMs < 500);
});

test('a mirror is asked when no peer could help, from where the peer broke off; one that lies changes nothing', async () => {
  const asked: [string, number][] = [];
  const mirror = (name: string, bytes: Uint8Array): Mirror => ({
    name,
    size: async () => bytes.length,
    async *read(_id, offset) {
      asked.push([name, offset]);
      yield bytes.subarray(offset);
    },
  });
  const mirrors = [
    mirror(
      'false',
      BYTES.map((byte) => byte ^ 1),
    ),
    mirror('true', BYTES),
  ];
  const { clock, asker } = await world(async (network) => serveBytes(network, () => BYTES, 400_000), false, mirrors);
  assert.deepEqual(await clock.drive(asker.get(ID, OPTIONS)), BYTES);
  // Both halves together are false, then the whole of the liar; then the other is asked for all of it.
  assert.deepEqual(asked, [
    ['false', 400_000],
    ['false', 0],
    ['true', 0],
  ]);
});

test('an artifact that nobody has is named with the next step', async () => {
  const { clock, asker } = await world(async () => {}, false);
  await clock.drive(
    assert.rejects(
      asker.get(ID, OPTIONS),
      (error) => isWorldError(error, 'artifact-unavailable') && error.help.includes('reachable'),
    ),
  );
});

/** Somebody who asks, a liar who answers as `lie` sets it up, and perhaps an honest member who has the artifact. */
async function world(lie: (network: Network) => Promise<void>, honest = true, mirrors: readonly Mirror[] = []) {
  const clock = new SimClock();
  const random = new SeededRandom('lying peers');
  const hub = new SimNetwork(clock, random);
  const machine = new SimMachine(clock, hub, random, hashOf('device', 'asker'));
  const process = machine.boot();
  const asker = new Artifacts(process.network, process.store, process.clock, undefined, mirrors);
  const liar = hub.join(hashOf('device', 'liar'));
  const asked = { liar: liar.self, order: [] as string[], rooms: [] as number[] };
  await lie(liar);
  await clock.drive(process.network.connect(liar.addresses()[0]!));
  if (honest) {
    const other = new SimMachine(clock, hub, random, hashOf('device', 'honest')).boot();
    const artifacts = new Artifacts(other.network, other.store, other.clock);
    artifacts.serve();
    await clock.drive(artifacts.put(BYTES));
    await clock.drive(process.network.connect(other.network.addresses()[0]!));
  }
  const open = process.network.open.bind(process.network);
  process.network.open = (peer, ...rest) => {
    asked.order.push(peer);
    return open(peer, ...rest);
  };
  const receive = process.store.receive.bind(process.store);
  process.store.receive = (id, sizeBytes) => {
    asked.rooms.push(sizeBytes);
    return receive(id, sizeBytes);
  };
  return { clock, asker, asked, machine };
}

function serveMessages(network: Network, answer: (request: { offset: number }) => AsyncIterable<Uint8Array>): void {
  network.serve('artifact', (_peer, request) => answer(JSON.parse(fromUtf8(request))), {
    maxRequestBytes: 1024,
    maxConcurrentPerPeer: 8,
  });
}

/** Serves `bytes()` as if they were the artifact; from `breaksAt` on the answer breaks off. */
function serveBytes(network: Network, bytes: () => Uint8Array, breaksAt = Number.POSITIVE_INFINITY): void {
  serveMessages(network, async function* ({ offset }) {
    const all = bytes();
    yield canonicalBytes({ size: all.length });
    if (offset < 0) return;
    for (let at = offset; at < all.length; at += 100_000) {
      if (at >= breaksAt) throw new Error('broken off');
      yield all.subarray(at, Math.min(at + 100_000, all.length));
    }
  });
}
