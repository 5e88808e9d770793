/** Leases, lapses and reserves on the production member: who vanishes loses its seat and nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf } from '@folkmoot/core';
import { balanceOf } from '@folkmoot/ledger';
import type { Offering } from '@folkmoot/node';
import type { Event } from '@folkmoot/protocol';
import { segmentsPerRound } from '@folkmoot/records';
import { simCharter } from './sim-charter.ts';
import { type SimPerson, SimRun } from './sim-run.ts';
import { checkAgreement, checkStory } from './sim-story.ts';

const LEASE = { everyMs: 500, lapseMs: 1500, reserves: 8 };
const COMMITTEE = { minMembers: 2, maxTrainers: 4, maxWitnesses: 16 };

const CHARTER = simCharter({ lease: LEASE, committee: COMMITTEE, stepsPerRound: 12, stepsPerSegment: 2 });

/** A run in its first training, one segment of six done; four seats, the rest in reserve. */
async function training(seed: string, count: number): Promise<SimRun> {
  const run = new SimRun(seed, CHARTER);
  for (let i = 0; i < count; i++) run.add();
  await run.startAll();
  assert.ok(await run.until(() => run.creator.state!.round.phase === 'train'));
  await run.clock.run(run.clock.now() + 2500);
  return run;
}

/** A trainer of the round at hand, other than the sequencer. */
const trainerOf = (run: SimRun): SimPerson =>
  run.people.find((person) => person !== run.creator && run.creator.state!.round.seats[person.id])!;

const eventsOf = <K extends Event['kind']>(run: SimRun, kind: K) =>
  run.creator.events.filter((event): event is Extract<Event, { kind: K }> => event.kind === kind);
const fateOf = (run: SimRun, person: SimPerson, round: number) =>
  eventsOf(run, 'settled').find(({ settlement }) => settlement.device === person.id && settlement.round === round)
    ?.settlement;

test('nobody lapses while all is well, and leases reach the log never', async () => {
  const run = await training('all well', 7);
  assert.ok(await run.until(() => run.creator.state!.finalized >= 3));
  assert.deepEqual(eventsOf(run, 'handed-over'), []);
  const { events } = checkStory(run);
  assert.ok(!events.some((event) => event.kind === 'rejected' && event.recordKind === 'lapse'));
  await checkAgreement(run);
});

test('a trainer that is killed in mid-round: what it had leased is reproduced and paid, a reserve delivers the rest', async () => {
  const run = await training('killed', 7);
  const gone = trainerOf(run);
  run.crash(gone);
  assert.ok(await run.until(() => run.creator.state!.finalized >= 1));
  const [handed] = eventsOf(run, 'handed-over');
  assert.deepEqual([handed?.trainer, handed?.skip], [gone.id, 1]);
  assert.ok(eventsOf(run, 'included')[0]!.trainers.includes(handed!.standIn));
  assert.ok(await run.until(() => fateOf(run, gone, 1) !== undefined));
  assert.deepEqual([fateOf(run, gone, 1)!.outcome, fateOf(run, gone, 1)!.segments], ['reproduced', 1]);
  const standIn = run.people.find((person) => person.id === handed!.standIn)!;
  assert.ok(await run.until(() => fateOf(run, standIn, 1) !== undefined));
  assert.deepEqual([fateOf(run, standIn, 1)!.outcome, fateOf(run, standIn, 1)!.segments], ['matched', 5]);
  await run.clock.drive(run.start(gone));
  const { finalized } = run.creator.state!;
  assert.ok(await run.until(() => run.creator.state!.finalized >= finalized + 3));
  checkStory(run);
  await checkAgreement(run);
});

test('where no lease reaches its keeper, keepers ask the sequencer', async () => {
  const run = new SimRun('deaf', CHARTER);
  for (let i = 0; i < 7; i++) deafen(run.add(), i === 0 ? '' : 'lease');
  await run.startAll();
  assert.ok(await run.until(() => run.creator.state!.finalized >= 2));
  assert.deepEqual(eventsOf(run, 'handed-over'), []);
  assert.equal(run.creator.state!.round.number, 3);
  checkStory(run);
});

test('who is heard of through the sequencer only is missed as soon as its last lease is old, however late that was told', async () => {
  const run = new SimRun('told late', CHARTER);
  for (let i = 0; i < 7; i++) deafen(run.add(), i === 0 ? '' : 'lease');
  await run.startAll();
  for (let turn = 1; turn <= 3; turn++) {
    const { finalized } = run.creator.state!;
    assert.ok(await run.until(() => run.creator.state!.finalized > finalized || turn === 1));
    assert.ok(await run.until(() => run.creator.state!.round.phase === 'train'));
    await run.clock.run(run.clock.now() + 3000 + 300 * turn);
    const gone = trainerOf(run);
    const goneMs = run.clock.now();
    run.crash(gone);
    assert.ok(await run.until(() => run.creator.state!.round.lapses[gone.id]?.entry != null));
    // A look of the keepers, and messages on their way.
    const mostMs = LEASE.lapseMs + LEASE.everyMs + 300;
    assert.ok(run.clock.now() - goneMs <= mostMs, `missed after ${run.clock.now() - goneMs} ms`);
    await run.clock.drive(run.start(gone));
  }
  checkStory(run);
});

test('keepers that all say falsely that everybody has gone take no trainer’s seat: each is ahead of its reserve', async () => {
  const run = new SimRun('false keepers', CHARTER);
  for (let i = 0; i < 7; i++) deafen(deafen(run.add(), 'lease'), 'leases');
  await run.startAll();
  assert.ok(await run.until(() => run.creator.state!.finalized >= 1));
  assert.ok(saidBy(run, 'alive') > 0, 'the trainers answer');
  const [assigned] = eventsOf(run, 'assigned');
  assert.deepEqual(eventsOf(run, 'included')[0]!.trainers, [...assigned!.trainers].sort());
  const { settlements } = checkStory(run);
  for (const { outcome } of settlements) assert.ok(!['lapsed', 'reproduced'].includes(outcome), outcome);
});

test('who leases links that it invented and vanishes earns nothing', async () => {
  const run = new SimRun('invented', CHARTER);
  for (let i = 0; i < 6; i++) run.add();
  const liar = run.add({ conduct: { offer: leaseInvented } });
  const rounds = await vanishing(run, liar);
  assert.ok(rounds.length > 0);
  for (const round of rounds) assert.ok(['lapsed', 'late'].includes(fateOf(run, liar, round)!.outcome));
  assert.equal(balanceOf(run.creator.state!.ledger, liar.account.id).earned, 0);
});

test('who works, leases and vanishes before the encoding is audited earns what was reproduced, and no more', async () => {
  const run = new SimRun('leaver', CHARTER);
  for (let i = 0; i < 7; i++) run.add();
  const leaver = run.people.at(-1)!;
  const rounds = await vanishing(run, leaver);
  assert.ok(rounds.length > 0);
  for (const round of rounds) assert.ok(['reproduced', 'lapsed', 'late'].includes(fateOf(run, leaver, round)!.outcome));
  const segments = rounds.reduce((sum, round) => sum + fateOf(run, leaver, round)!.segments, 0);
  assert.ok(segments > 0 && segments <= 5 * rounds.length);
  const { perSegment } = run.charter.credit;
  assert.equal(balanceOf(run.creator.state!.ledger, leaver.account.id).earned, segments * perSegment);
  assert.equal(run.creator.state!.members[leaver.id]!.verifiedSegments, 0, 'it makes no senior');
});

/** Shows links of states that nobody reached, one for every segment but the last, and then nothing more. */
const leaseInvented: Offering = async ({ leases, charter, clock }, duty, signal) => {
  for (let segment = 1; segment < segmentsPerRound(charter); segment++) {
    const state = { params: hashOf('invented', duty.round, segment), moments: hashOf('invented') };
    await clock.sleep(500, signal);
    leases.reached(duty, state);
  }
  await clock.sleep(3_600_000, signal);
  throw new Error('it never gets here');
};

/** Kills `person` when it has leased most of a round, and starts it again for the next; the rounds in which it did so. */
async function vanishing(run: SimRun, person: SimPerson): Promise<number[]> {
  await run.startAll();
  const rounds: number[] = [];
  for (let turn = 0; turn < 2; turn++) {
    const trains = () => {
      const { phase, seats } = run.creator.state!.round;
      return phase === 'train' && seats[person.id] !== undefined;
    };
    assert.ok(await run.until(trains));
    await run.clock.run(run.clock.now() + 9500);
    const { number } = run.creator.state!.round;
    run.crash(person);
    assert.ok(await run.until(() => run.creator.state!.round.number > number));
    await run.clock.drive(run.start(person));
    assert.ok(await run.until(() => fateOf(run, person, number) !== undefined));
    rounds.push(number);
  }
  checkStory(
    run,
    run.people.filter((other) => other !== person),
  );
  return rounds;
}

/** From its next start on this person takes no exchange of `protocol`. */
function deafen(person: SimPerson, protocol: string): SimPerson {
  const boot = person.machine.boot.bind(person.machine);
  person.machine.boot = () => {
    const process = boot();
    const serve = process.network.serve.bind(process.network);
    process.network.serve = (name, handler, limits) =>
      serve(name, name === protocol ? async function* () {} : handler, limits);
    return process;
  };
  return person;
}

const saidBy = (run: SimRun, kind: string) =>
  run.creator.notices.filter((notice) => notice.kind === 'entry' && notice.entry.record.body.kind === kind).length;
