import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWorldError, type Network, SeededRandom, sha256, utf8 } from '@folkmoot/core';
import { testNetworkContract } from './network-contract.ts';
import { SimClock } from './sim-clock.ts';
import { Life } from './sim-life.ts';
import type { Conditions } from './sim-link.ts';
import { SimNetwork } from './sim-network.ts';

testNetworkContract('simulated network', async () => {
  const { clock, hub } = world('contract');
  let count = 0;
  return {
    join: async () => hub.join(name(count++)),
    run: (task) => clock.drive(task),
    sleep: (durationMs) => clock.sleep(durationMs),
    close: async () => {},
  };
});

const LIMITS = { idleMs: 5_000, maxMessageBytes: 1 << 20 };
const SERVE = { maxRequestBytes: 1000, maxConcurrentPerPeer: 8 };

test('the same seed gives the same trace, another seed another', async () => {
  const first = await gossip('seed 1');
  assert.deepEqual(await gossip('seed 1'), first);
  assert.notEqual((await gossip('seed 2')).traceHash, first.traceHash);
  assert.ok(first.whole > 0 && first.failed > 0, JSON.stringify(first));
});

test('what a partition holds back arrives after healing, or fails with a code', async () => {
  const { clock, hub } = world('partition', { delayMs: { min: 1, max: 5 } });
  const [a, b] = await connected(clock, hub);
  b.serve(
    'echo',
    async function* (_peer, request) {
      yield request;
    },
    SERVE,
  );
  hub.partition([a.self], [b.self]);
  const asked = ask(a, b, 60_000);
  await clock.run(clock.now() + 3_000);
  hub.heal();
  assert.equal(await clock.drive(asked), 'whole');
  hub.partition([a.self]);
  assert.equal(await clock.drive(ask(a, b, 1_000)), 'peer-silent');
  const code = ask(a, b, 60_000);
  assert.equal(await clock.drive(code), 'peer-unreachable');
  assert.deepEqual([a.peers(), b.peers()], [[], []]);
  await clock.drive(assert.rejects(a.connect(b.addresses()[0]!), (error) => isWorldError(error, 'peer-unreachable')));
});

test('lost messages end an exchange by silence or by a broken connection, never by a short answer', async () => {
  const { clock, hub } = world('loss');
  const [a, b] = await connected(clock, hub);
  b.serve(
    'ten',
    async function* () {
      for (let i = 0; i < 10; i++) yield Uint8Array.of(i);
    },
    SERVE,
  );
  hub.change({ loss: 0.05 });
  const seen = new Map<string, number>();
  for (let i = 0; i < 200; i++) {
    const outcome = await clock.drive(ask(a, b, 1_000, 'ten', 10));
    seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
  }
  assert.deepEqual([...seen.keys()].sort(), ['peer-silent', 'peer-unreachable', 'whole']);
});

test('a crash stops the code of the device where it waits, and the others notice', async () => {
  const { clock, hub } = world('crash');
  const life = new Life();
  const dying = hub.join(name(1), life);
  const other = hub.join(name(2));
  let went = 0;
  let ended = false;
  dying.serve(
    'tick',
    async function* () {
      try {
        for (;;) {
          went++;
          yield Uint8Array.of(1);
          await life.clock(clock).sleep(100);
        }
      } finally {
        ended = true;
      }
    },
    SERVE,
  );
  await clock.drive(other.connect(dying.addresses()[0]!));
  const outcome = ask(other, dying, 5_000, 'tick');
  await clock.run(clock.now() + 1_000);
  const pending = dying.connect(other.addresses()[0]!).then(() => assert.fail('the dead do not go on'));
  hub.crash(dying.self);
  const atCrash = went;
  assert.equal(await clock.drive(outcome), 'peer-unreachable');
  await clock.run(clock.now() + 60_000);
  assert.deepEqual([went, ended, other.peers()], [atCrash, false, []]);
  hub.join(dying.self);
  assert.equal(await clock.drive(other.connect(dying.addresses()[0]!)), dying.self);
  void pending;
});

test('what a handler throws is kept for the test to see', async () => {
  const { clock, hub } = world('errors');
  const [a, b] = await connected(clock, hub);
  const bug = new Error('bug: of ours');
  b.serve(
    'fail',
    async function* () {
      yield await Promise.reject(bug);
    },
    SERVE,
  );
  assert.equal(await clock.drive(ask(a, b, 1_000, 'fail')), 'peer-failed');
  assert.deepEqual(hub.handlerErrors, [{ device: b.self, protocol: 'fail', error: bug }]);
});

test('bandwidth is shared by all that a device sends', async () => {
  const { clock, hub } = world('bandwidth', { delayMs: { min: 1, max: 1 }, bytesPerMs: 1000 });
  const [a, b] = await connected(clock, hub);
  b.serve(
    'big',
    async function* () {
      yield new Uint8Array(100_000);
    },
    SERVE,
  );
  const startMs = clock.now();
  await clock.drive(Promise.all([ask(a, b, 5_000, 'big'), ask(a, b, 5_000, 'big')]));
  assert.ok(clock.now() - startMs >= 200 && clock.now() - startMs < 250, `${clock.now() - startMs}`);
});

/** Five devices ask one another while messages get lost and one of them crashes. */
async function gossip(seed: string): Promise<{ traceHash: string; whole: number; failed: number; atMs: number }> {
  const { clock, hub } = world(seed, { loss: 0.02, bytesPerMs: 100 });
  const devices = [0, 1, 2, 3, 4].map((i) => hub.join(name(i)));
  const count = { whole: 0, failed: 0 };
  for (const device of devices)
    device.serve(
      'ten',
      async function* () {
        for (let i = 0; i < 10; i++) yield new Uint8Array(100 * i);
      },
      SERVE,
    );
  const talk = async (from: Network, to: Network) => {
    try {
      await from.connect(to.addresses()[0]!);
      for (let i = 0; i < 5; i++) count[(await ask(from, to, 500, 'ten')) === 'whole' ? 'whole' : 'failed']++;
    } catch {
      count.failed++;
    }
  };
  for (const from of devices) for (const to of devices) if (from !== to) void talk(from, to);
  clock.schedule(700, () => hub.crash(name(4)));
  await clock.run(clock.now() + 100_000);
  return { traceHash: hub.traceHash, ...count, atMs: clock.now() };
}

function world(seed: string, conditions: Partial<Conditions> = {}): { clock: SimClock; hub: SimNetwork } {
  const clock = new SimClock();
  return { clock, hub: new SimNetwork(clock, new SeededRandom(seed), conditions) };
}

function name(index: number): string {
  return sha256(utf8(`device ${index}`));
}

async function connected(clock: SimClock, hub: SimNetwork): Promise<[Network, Network]> {
  const [a, b] = [hub.join(name(1)), hub.join(name(2))];
  await clock.drive(a.connect(b.addresses()[0]!));
  return [a, b];
}

/** `whole`, or the code of what the exchange failed with. */
async function ask(from: Network, to: Network, idleMs: number, protocol = 'echo', expected?: number): Promise<string> {
  let count = 0;
  try {
    for await (const _ of from.open(to.self, protocol, Uint8Array.of(1), { ...LIMITS, idleMs })) count++;
  } catch (error) {
    if (!isWorldError(error)) throw error;
    return error.code;
  }
  return expected === undefined || count === expected ? 'whole' : `short: ${count}`;
}
