import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Clock, LOOPBACK, type Network } from '@folkmoot/core';
import { Guard } from './guard.ts';
import { TokenBucket } from './token-bucket.ts';

test('a bucket gives its burst, then its rate, and nothing for a clock that goes back', () => {
  const rate = { burst: 4, perSecond: 2 };
  const bucket = new TokenBucket(rate, 1000);
  const taken = (nowMs: number) => {
    let count = 0;
    while (count < 100 && bucket.take(rate, nowMs)) count++;
    return count;
  };
  assert.deepEqual([taken(1000), taken(1499), taken(1500), taken(500), taken(3500), taken(1e9)], [4, 0, 1, 0, 4, 4]);
});

test('a peer that asks too much is held to its rate, and the others are not', () => {
  const { guard, clock, place } = world();
  place('evil', '203.0.113.1');
  place('good', '203.0.113.2');
  let given = 0;
  for (let i = 0; i < 500; i++) if (guard.admits('evil', 'submit')) given++;
  assert.equal(given, 64);
  assert.ok(guard.admits('good', 'submit'));
  assert.ok(guard.admits('evil', 'log'), 'each protocol has its own');
  clock.nowMs += 10_000;
  for (let i = 0; i < 500; i++) if (guard.admits('evil', 'submit')) given++;
  // Its burden has become heavy: a quarter of the burst is all that it may save up.
  assert.equal(given, 64 + 16);
});

test('many keys at one place do not help; on this machine they are members of one `up`', () => {
  const { guard, place } = world();
  const given = (host: string) => {
    let count = 0;
    for (let i = 0; i < 100; i++) {
      place(`${host} ${i}`, host);
      for (let j = 0; j < 50; j++) if (guard.admits(`${host} ${i}`, 'submit')) count++;
    }
    return count;
  };
  assert.equal(given('203.0.113.1'), 8 * 64);
  assert.equal(given(LOOPBACK), 100 * 50);
});

test('newcomers without a ticket: a classroom at once, then one a minute', () => {
  const { guard, clock, place } = world();
  for (let i = 0; i < 40; i++) place(`n${i}`, '2001:db8:0:0::/64');
  const given = () => Array.from({ length: 40 }, (_, i) => guard.admitsNewcomer(`n${i}`)).filter(Boolean).length;
  assert.deepEqual([given(), given()], [16, 0]);
  clock.nowMs += 60_000;
  assert.equal(given(), 1);
  place('elsewhere', '203.0.113.9');
  assert.ok(guard.admitsNewcomer('elsewhere'));
});

test('what no honest node does leads to a ban that ends; the second is longer', () => {
  const { guard, clock, place, gone } = world();
  place('evil', '203.0.113.1');
  for (let i = 0; i < 9; i++) guard.report('evil', 'malformed');
  assert.ok(guard.admitsDevice('evil'));
  guard.report('evil', 'malformed');
  assert.ok(!guard.admitsDevice('evil') && !guard.admits('evil', 'hello'));
  assert.deepEqual(gone, ['evil']);
  clock.nowMs += 599_000;
  assert.ok(!guard.admitsDevice('evil'));
  clock.nowMs += 1000;
  assert.ok(guard.admitsDevice('evil'));
  for (let i = 0; i < 3; i++) guard.report('evil', 'false-entry');
  clock.nowMs += 1_199_000;
  assert.ok(!guard.admitsDevice('evil'));
  clock.nowMs += 1000;
  assert.ok(guard.admitsDevice('evil'));
});

test('faults fade: what an honest node with a broken disk does now and then bans nobody', () => {
  const { guard, clock, place } = world();
  place('unlucky', '203.0.113.1');
  for (let day = 0; day < 300; day++) {
    guard.report('unlucky', 'false-bytes');
    clock.nowMs += 600_000;
  }
  assert.ok(guard.admitsDevice('unlucky'));
});

test('slowness, silence, refusals and failures ban nobody, however many; such peers are asked last', () => {
  const { guard, clock, place } = world();
  for (const peer of ['slow', 'quick', 'late']) place(peer, '203.0.113.1');
  for (let i = 0; i < 100_000; i++) guard.report('slow', 'silent');
  for (let i = 0; i < 100_000; i++) guard.report('slow', 'failed');
  for (let i = 0; i < 10; i++) guard.report('late', 'refused');
  assert.ok(guard.admitsDevice('slow') && guard.admitsPlace('203.0.113.1'));
  assert.deepEqual(guard.sorted(['slow', 'late', 'quick']), ['quick', 'late', 'slow']);
  clock.nowMs += 86_400_000;
  assert.ok(guard.admits('slow', 'submit'));
});

test('a place from which many keys misbehave is banned, this machine never', () => {
  const { guard, place, gone } = world();
  const misbehave = (host: string) => {
    for (let i = 0; i < 40; i++) {
      place(`${host} ${i}`, host);
      guard.report(`${host} ${i}`, 'malformed');
    }
  };
  place('neighbour', '203.0.113.1');
  misbehave('203.0.113.1');
  assert.ok(!guard.admitsPlace('203.0.113.1') && guard.admitsPlace('203.0.113.2'));
  assert.ok(gone.includes('neighbour'));
  misbehave(LOOPBACK);
  assert.ok(guard.admitsPlace(LOOPBACK));
});

test('what is remembered is bounded; a ban outlives a flood of strangers', () => {
  const { guard, place } = world();
  place('evil', '203.0.113.1');
  for (let i = 0; i < 3; i++) guard.report('evil', 'false-entry');
  for (let i = 0; i < 20_000; i++) {
    place(`s${i}`, `198.51.100.${i}`);
    guard.admits(`s${i}`, 'submit');
  }
  assert.equal(guard.remembered, 2 * 4096);
  assert.ok(!guard.admitsDevice('evil'));
});

function world() {
  const clock: Clock & { nowMs: number } = { nowMs: 1_000_000, now: () => clock.nowMs, sleep: async () => {} };
  const guard = new Guard(clock);
  const hosts = new Map<string, string>();
  const gone: string[] = [];
  guard.over({
    peers: () => [...hosts.keys()],
    hostOf: (peer: string) => hosts.get(peer),
    disconnect: (peer: string) => gone.push(peer),
  } as unknown as Network);
  return { guard, clock, gone, place: (peer: string, host: string) => void hosts.set(peer, host) };
}
