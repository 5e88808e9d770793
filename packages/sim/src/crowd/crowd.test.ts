/** A small crowd: what the large one is measured with works, and its checks can fail. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Canonical, idOf } from '@folkmoot/core';
import { initialState } from '@folkmoot/protocol';
import type { Entry } from '@folkmoot/records';
import { simCharter } from '../sim-charter.ts';
import { Barriers } from './barriers.ts';
import { SimCrowd } from './crowd.ts';
import { goodputOf } from './goodput.ts';

const LEASE = { everyMs: 2000, lapseMs: 5000, reserves: 4 };

test('light members and full ones finish rounds together while a third of them fails, and a full one joins on the way', async () => {
  const charter = simCharter({
    stepsPerRound: 4,
    stepsPerSegment: 1,
    committee: { minMembers: 2, maxTrainers: 8, maxWitnesses: 4 },
    lease: LEASE,
  });
  const crowd = new SimCrowd({ seed: 'small', charter, members: 24, full: 3, failingPercent: 33, segmentMs: 10_000 });
  await crowd.start();
  assert.ok(await crowd.run.until(() => crowd.state.finalized >= 2));
  assert.equal(crowd.size, 24);
  const late = await crowd.joinFull('late');
  assert.ok(await crowd.run.until(() => crowd.state.finalized >= 5));
  const states = () => crowd.run.people.map(({ state }) => state!);
  assert.ok(await crowd.run.until(() => new Set(states().map(({ head }) => head.index)).size === 1));
  assert.equal(states().length, 4);
  assert.ok(states().includes(late.state!));
  assert.equal(new Set(states().map((state) => idOf(state as unknown as Canonical))).size, 1);
  assert.deepEqual(crowd.troubles.map(String), []);
  assert.deepEqual(crowd.run.hub.handlerErrors, []);
  assert.deepEqual(crowd.barriers.overruns, []);
  assert.ok(crowd.failures > 0);
  const { verified, filled, wanted } = goodputOf(crowd.events, 4, 1, 3);
  assert.equal(wanted, 3 * 8 * 4);
  // A third of four witnesses may be two, and then a round is lost: how many are, is the draw's.
  assert.ok(verified > wanted / 4 && verified < wanted, `${verified} of ${wanted}`);
  assert.ok(filled <= verified + wanted / 2);
  // What fails comes back, and no light member is a forger.
  for (const event of crowd.events) assert.ok(event.kind !== 'settled' || event.settlement.outcome !== 'mismatch');
  crowd.stop();
});

test('a phase that outlasts its deadline is noticed, and one that ends by it is not', () => {
  const state = initialState(simCharter());
  const see = (barriers: Barriers, atMs: number, phase: 'train' | 'reveal', deadlineMs: number) => {
    Object.assign(state.round, { phase, deadlineMs, tally: { expected: 5, delivered: 2 } });
    barriers.see({ atMs } as Entry, state);
  };
  const late = new Barriers();
  see(late, 1000, 'train', 60_000);
  see(late, 59_000, 'train', 60_000);
  see(late, 64_000, 'train', 60_000);
  assert.equal(late.overruns.length, 1);
  const prompt = new Barriers();
  see(prompt, 1000, 'train', 60_000);
  see(prompt, 60_500, 'reveal', 70_000);
  assert.deepEqual([prompt.overruns, prompt.endedWithout, prompt.longestMs.train], [[], 1, 59_500]);
});

test('goodput counts a seat once, whoever held it, and no more than a round', () => {
  const settled = (device: string, segments: number) =>
    ({ kind: 'settled', settlement: { round: 1, device, segments } }) as never;
  const events = [
    { kind: 'assigned', round: 1, trainers: ['a', 'b', 'c'], witnesses: [] } as never,
    { kind: 'handed-over', round: 1, seat: 0, trainer: 'a', standIn: 'd', skip: 3 } as never,
    { kind: 'included', round: 1, trainers: ['b', 'd'] } as never,
    settled('a', 3),
    settled('d', 7),
    settled('b', 10),
    settled('c', 0),
    { kind: 'assigned', round: 2, trainers: ['a'], witnesses: [] } as never,
  ];
  assert.deepEqual(goodputOf(events, 10, 1, 1), { filled: 17, verified: 20, wanted: 30 });
});
