import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf } from '@folkmoot/core';
import { explain } from '@folkmoot/ledger';
import { type Charter, type Lease, type LeaseBody, leaseMark, signLease } from '@folkmoot/records';
import { duties } from './index.ts';
import { MAX_ANSWERS } from './reserves.ts';
import { ScriptedMember, ScriptedRun, testCharter } from './scripted.test-support.ts';

const LEASE = { everyMs: 1000, lapseMs: 4000, reserves: 8 };
const COMMITTEE = { minMembers: 2, maxTrainers: 4, maxWitnesses: 16 };

/** A run in its first training phase: four seats, everybody else in reserve. */
function training(count: number, change: Partial<Charter> = {}): ScriptedRun {
  const members = Array.from({ length: count }, (_, i) => new ScriptedMember(i + 1));
  const run = new ScriptedRun(testCharter({ committee: COMMITTEE, lease: LEASE, ...change }), members);
  for (const member of members) run.join(member);
  run.pass();
  assert.equal(run.state.round.phase, 'train');
  return run;
}

const memberOf = (run: ScriptedRun, device: string) => run.members.find(({ id }) => id === device)!;
const trainersOf = (run: ScriptedRun) =>
  Object.keys(run.state.round.seats)
    .sort((a, b) => run.state.round.seats[a]!.seat - run.state.round.seats[b]!.seat)
    .map((device) => memberOf(run, device));
const fateOf = (run: ScriptedRun, member: ScriptedMember, round = 1) =>
  run.settlements().find((settled) => settled.device === member.id && settled.round === round);

/** Keepers but the trainer say that it has lapsed, until it is enough. */
function missed(run: ScriptedRun, trainer: ScriptedMember, lease: Lease | null = null): (string | null)[] {
  const answers = [];
  for (const keeper of run.state.round.keepers.filter((id) => id !== trainer.id)) {
    if (run.state.round.lapses[trainer.id]?.entry != null) break;
    answers.push(run.say(memberOf(run, keeper), 'lapse', { seats: [{ trainer: trainer.id, lease }] }));
  }
  return answers;
}

function leaseOf(run: ScriptedRun, member: ScriptedMember, segment: number, change: Partial<LeaseBody> = {}): Lease {
  const { state } = run;
  const { seat, skip, carryIn } = state.round.seats[member.id]!;
  const mark = leaseMark(run.linkOf({ base: state.base, seed: state.round.seed, seat, skip, carryIn }, segment));
  const place = { run: state.run, round: state.round.number, base: state.base, device: member.id, seat, beat: 1 };
  return signLease({ kind: 'lease', ...place, segment, mark, ...change }, member.key);
}

const finish = (run: ScriptedRun, rounds = 1) =>
  assert.ok(run.run(() => run.state.finalized >= rounds && Object.keys(run.state.reproductions).length === 0));

test('a trainer that shows no sign of life loses its seat to the next reserve, and nothing else', () => {
  const run = training(6);
  const [gone] = trainersOf(run);
  const [first] = run.state.round.reserves;
  gone!.behaviour = () => 'silent';
  missed(run, gone!);
  const standIn = memberOf(run, first!);
  assert.deepEqual(
    run.events.filter(({ kind }) => kind === 'handed-over'),
    [{ kind: 'handed-over', round: 1, seat: 0, trainer: gone!.id, standIn: standIn.id, skip: 0 }],
  );
  assert.equal(run.state.round.seats[standIn.id]!.seat, run.state.round.seats[gone!.id]!.seat);
  finish(run);
  assert.ok(['matched', 'not-drawn'].includes(fateOf(run, standIn)?.outcome ?? 'matched'));
  assert.equal(fateOf(run, gone!)!.outcome, 'lapsed');
  assert.match(explain(fateOf(run, gone!)!, 0), new RegExp(`${standIn.id.slice(0, 10)}.* took over the rows`));
  assert.equal(run.events.find((event) => event.kind === 'included')?.trainers.length, 4, 'no row is lost');
  assert.equal(run.state.members[gone!.id]!.failedAudits, 0);
});

test('two thirds of the keepers or fewer, the trainer’s own voice aside, take no seat from anybody', () => {
  const run = training(7);
  const [gone] = trainersOf(run);
  const keepers = run.state.round.keepers.filter((id) => id !== gone!.id);
  assert.equal(keepers.length, 6);
  for (const keeper of keepers.slice(0, 4))
    assert.equal(run.say(memberOf(run, keeper), 'lapse', { seats: [{ trainer: gone!.id, lease: null }] }), null);
  assert.equal(run.state.round.lapses[gone!.id]!.standIn, null);
  assert.equal(run.state.members[gone!.id]!.ready, true);
  const again = run.say(memberOf(run, keepers[0]!), 'lapse', { seats: [{ trainer: gone!.id, lease: null }] });
  assert.match(again!, /none of these/);
  assert.match(run.say(gone!, 'lapse', { seats: [{ trainer: gone!.id, lease: null }] })!, /none of these/);
  run.say(memberOf(run, keepers[4]!), 'lapse', { seats: [{ trainer: gone!.id, lease: null }] });
  assert.notEqual(run.state.round.lapses[gone!.id]!.standIn, null);
});

test('a live trainer says so, and what was said before counts no more; but it cannot go on with that for ever', () => {
  const run = training(6);
  const [here] = trainersOf(run);
  const keepers = run.state.round.keepers.filter((id) => id !== here!.id).map((id) => memberOf(run, id));
  const seat = run.state.round.seats[here!.id]!.seat;
  assert.match(run.say(here!, 'alive', { seat })!, /nobody asks/);
  for (let answer = 0; answer < MAX_ANSWERS; answer++) {
    for (const keeper of keepers.slice(0, 3)) run.say(keeper, 'lapse', { seats: [{ trainer: here!.id, lease: null }] });
    assert.equal(duties(run.state, here!.id)[0]!.kind, 'answer');
    assert.equal(run.say(here!, 'alive', { seat }), null);
    assert.deepEqual(run.state.round.lapses[here!.id]!.by, []);
  }
  missed(run, here!);
  assert.match(run.say(here!, 'alive', { seat })!, /nobody asks/);
  assert.notEqual(run.state.round.lapses[here!.id]!.standIn, null);
});

for (const winner of ['trainer', 'stand-in'] as const)
  test(`the first commit for a seat counts: here the ${winner}’s; one update comes of its rows`, () => {
    const run = training(6);
    const [slow] = trainersOf(run);
    missed(run, slow!);
    const standIn = memberOf(run, run.state.round.lapses[slow!.id]!.standIn!);
    const [first, second] = winner === 'trainer' ? [slow!, standIn] : [standIn, slow!];
    const dutyOf = (member: ScriptedMember) => duties(run.state, member.id).find((duty) => duty.kind === 'train')!;
    const late = dutyOf(second);
    assert.equal(run.perform(first, dutyOf(first)), null);
    assert.match(run.perform(second, late)!, /another has delivered the rows/);
    assert.equal(dutyOf(second), undefined);
    finish(run);
    assert.equal(fateOf(run, second)!.outcome, winner === 'trainer' ? 'spare' : 'lapsed');
    const included = run.events.find((event) => event.kind === 'included')!.trainers;
    assert.ok(included.includes(first.id) && !included.includes(second.id));
  });

test('where a stand-in vanishes too, the next takes over; whoever leaves need not be missed', () => {
  const run = training(8);
  const [gone] = trainersOf(run);
  const reserves = run.state.round.reserves.map((id) => memberOf(run, id));
  for (const member of [gone!, ...reserves.slice(0, 2)]) member.behaviour = () => 'silent';
  missed(run, gone!);
  missed(run, reserves[0]!);
  assert.equal(run.say(reserves[1]!, 'leave', { abstains: true }), null);
  assert.equal(run.state.round.lapses[reserves[1]!.id]!.standIn, reserves[2]!.id);
  finish(run);
  for (const member of [gone!, ...reserves.slice(0, 2)]) assert.equal(fateOf(run, member)!.outcome, 'lapsed');
  assert.equal(run.events.find((event) => event.kind === 'included')!.trainers.length, 4);
});

test('with too little time left nobody starts in vain, and nobody waits for who has gone', () => {
  const run = training(6);
  finish(run);
  run.run(() => run.state.round.phase === 'train' && run.state.round.number === 2);
  const [gone, ...others] = trainersOf(run);
  gone!.behaviour = () => 'silent';
  run.nowMs = run.state.round.phaseAtMs + 2500;
  missed(run, gone!);
  assert.equal(run.state.round.lapses[gone!.id]!.standIn, null);
  for (const other of others) run.perform(other, duties(run.state, other.id).find((duty) => duty.kind === 'train')!);
  assert.equal(run.state.round.phase, 'reveal', 'the last of the others ends the phase');
});

test('what is leased is worked by nobody a second time: stand-ins begin after it, are audited in their part and paid for it', () => {
  const run = training(8, { stepsPerRound: 12 });
  const [gone] = trainersOf(run);
  const [second, third] = run.state.round.reserves.map((id) => memberOf(run, id));
  for (const member of [gone!, second!]) member.behaviour = () => 'silent';
  missed(run, gone!, leaseOf(run, gone!, 3));
  assert.equal(run.state.round.seats[second!.id]!.skip, 3);
  const [keeper] = run.state.round.keepers.filter((id) => id !== gone!.id && id !== second!.id);
  const beyond = [{ trainer: second!.id, lease: leaseOf(run, second!, 4) }];
  assert.match(run.say(memberOf(run, keeper!), 'lapse', { seats: beyond })!, /lease is not the trainer’s/);
  missed(run, second!, leaseOf(run, second!, 1));
  assert.equal(run.state.round.seats[third!.id]!.skip, 4);
  const skips = run.events.flatMap((event) => (event.kind === 'handed-over' ? [event.skip] : []));
  assert.deepEqual(skips, [3, 4]);
  finish(run);
  assert.ok(run.run(() => fateOf(run, third!) !== undefined));
  const fates = [gone!, second!, third!].map((member) => fateOf(run, member)!);
  assert.deepEqual(
    fates.map(({ outcome, segments }) => [outcome, segments]),
    [
      ['reproduced', 3],
      ['reproduced', 1],
      ['matched', 2],
    ],
  );
  assert.ok(fates[2]!.evidence.segment! <= 2);
  assert.equal(run.state.members[third!.id]!.verifiedSegments, 2);
  assert.equal(run.state.members[third!.id]!.carry.steps, 4, 'two segments of two steps');
});

test('who comes back in time for the whole seat delivers it, however much had been leased', () => {
  const run = training(6);
  const [slow] = trainersOf(run);
  missed(run, slow!, leaseOf(run, slow!, 1));
  const standIn = memberOf(run, run.state.round.lapses[slow!.id]!.standIn!);
  run.perform(slow!, duties(run.state, slow!.id).find((duty) => duty.kind === 'train')!);
  finish(run);
  assert.ok(run.run(() => fateOf(run, slow!) !== undefined));
  assert.deepEqual([fateOf(run, slow!)!.outcome, fateOf(run, slow!)!.segments], ['matched', 2]);
  assert.deepEqual([fateOf(run, standIn)!.outcome, fateOf(run, standIn)!.segments], ['spare', 0]);
});

test('nobody takes over where every segment was leased; and nobody measures how much a part of a seat helps', () => {
  const run = training(8, { audit: { floorPpm: 50_000, scores: true } });
  const [all, half] = trainersOf(run);
  for (const member of [all!, half!]) member.behaviour = () => 'silent';
  missed(run, all!, leaseOf(run, all!, 2));
  missed(run, half!, leaseOf(run, half!, 1));
  assert.equal(run.state.round.lapses[all!.id]!.standIn, null);
  const standIn = run.state.round.lapses[half!.id]!.standIn!;
  finish(run);
  assert.equal(fateOf(run, all!)!.segments, 2);
  assert.ok(run.run(() => run.records.some(({ body }) => body.kind === 'score')));
  const measured = run.records.flatMap(({ body }) => (body.kind === 'score' ? body.scores : []));
  assert.ok(measured.every(({ trainer }) => trainer !== standIn));
});

test('the less is left of a seat, the later it can be handed over', () => {
  for (const [leased, isHandedOver] of [
    [0, false],
    [1, true],
  ] as const) {
    const run = training(6);
    finish(run);
    run.run(() => run.state.round.phase === 'train' && run.state.round.number === 2);
    const [gone] = trainersOf(run);
    const { phaseAtMs } = run.state.round;
    const [usualMs] = run.state.pace.train;
    // A whole seat is due a quarter of the usual time after the end of grace, half of one a quarter before it.
    run.nowMs = phaseAtMs + run.state.charter.timing.graceMs + Math.ceil(usualMs! / 4);
    missed(run, gone!, leased === 0 ? null : leaseOf(run, gone!, leased));
    assert.equal(run.state.round.lapses[gone!.id]!.standIn !== null, isHandedOver);
  }
});

test('a lease of another round, run, base, seat or signer is refused, and the whole record with it', () => {
  const run = training(6);
  const [gone, other] = trainersOf(run);
  const keeper = memberOf(run, run.state.round.keepers.find((id) => id !== gone!.id && id !== other!.id)!);
  const bad: Lease[] = [
    leaseOf(run, gone!, 1, { round: 2 }),
    leaseOf(run, gone!, 1, { run: hashOf('other') }),
    leaseOf(run, gone!, 1, { base: hashOf('other') }),
    leaseOf(run, gone!, 1, { seat: 3 }),
    leaseOf(run, gone!, 1, { segment: 3 }),
    leaseOf(run, other!, 1),
    { ...leaseOf(run, gone!, 2), signature: leaseOf(run, gone!, 1).signature },
  ];
  for (const lease of bad) {
    const seats = [{ trainer: gone!.id, lease }];
    assert.match(run.say(keeper, 'lapse', { seats })!, /lease is not the trainer’s/);
  }
  const twice = { trainer: gone!.id, lease: null };
  assert.match(run.say(keeper, 'lapse', { seats: [twice, twice] })!, /twice/);
  assert.deepEqual(run.state.round.lapses, {});
});

test('what a vanished trainer had leased is re-executed and paid, segment by segment', () => {
  const run = training(6);
  const [gone] = trainersOf(run);
  gone!.behaviour = () => 'silent';
  missed(run, gone!, leaseOf(run, gone!, 1));
  finish(run);
  const fate = fateOf(run, gone!)!;
  assert.deepEqual([fate.outcome, fate.segments], ['reproduced', 1]);
  assert.match(explain(fate, 10), /its first segment was reproduced by/);
  assert.equal(run.state.ledger.accounts[fate.account]!.earned, 10);
  assert.equal(run.state.members[gone!.id]!.cleanAudits, 0, 'it is no clean audit');
  assert.deepEqual(run.state.members[gone!.id]!.audits, []);
});

test('an invented link is reached by nobody and earns nothing, by however many auditors; nor does silence', () => {
  for (const conduct of ['honest', 'silent'] as const) {
    const run = training(6);
    const [gone] = trainersOf(run);
    gone!.behaviour = () => 'silent';
    for (const member of run.members)
      if (conduct === 'silent' && member !== gone)
        member.behaviour = (_, duty) => (duty.kind === 'reproduce' ? 'silent' : undefined);
    missed(run, gone!, leaseOf(run, gone!, 2, conduct === 'honest' ? { mark: hashOf('invented') } : {}));
    finish(run, 4);
    assert.deepEqual([fateOf(run, gone!)!.outcome, fateOf(run, gone!)!.segments], ['lapsed', 0]);
    assert.deepEqual(run.state.reproductions, {});
  }
});

test('only the drawn auditor reproduces, and only with the leased link', () => {
  const run = training(6);
  const [gone] = trainersOf(run);
  gone!.behaviour = () => 'silent';
  missed(run, gone!, leaseOf(run, gone!, 2));
  assert.ok(run.run(() => Object.keys(run.state.reproductions).length > 0));
  const [open] = Object.values(run.state.reproductions);
  const place = { round: open!.round, base: open!.base };
  const said = { trainer: gone!.id, segment: 2, link: run.linkOf(open!, 2) };
  const other = run.members.find(({ id }) => id !== open!.auditor)!;
  const auditor = memberOf(run, open!.auditor);
  assert.match(run.say(other, 'reproduced', said, place)!, /nothing is to be reproduced/);
  assert.match(run.say(auditor, 'reproduced', { ...said, link: hashOf('guess') }, place)!, /not the leased one/);
  assert.match(run.say(auditor, 'reproduced', { ...said, segment: 1 }, place)!, /another segment/);
  assert.match(run.say(auditor, 'reproduced', said)!, /nothing is to be reproduced/);
  assert.equal(run.say(auditor, 'reproduced', said, place), null);
  assert.match(run.say(auditor, 'reproduced', said, place)!, /nothing is to be reproduced/);
  assert.equal(fateOf(run, gone!)!.segments, 2);
});
