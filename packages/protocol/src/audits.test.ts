import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf } from '@folkmoot/core';
import { balanceOf, type Outcome } from '@folkmoot/ledger';
import { drawSegment } from './draw.ts';
import { NO_HELP_KNOWN } from './help.ts';
import { auditPpm, type Duty } from './index.ts';
import { type Behaviour, ScriptedMember, ScriptedRun, testCharter } from './scripted.test-support.ts';
import type { Member } from './state.ts';

const NOTHING = { part: 'segment', stateRoot: null, salt: null, distancePpm: 0, tensor: '' } as const;

function start(count: number, behaviours: Record<number, Behaviour> = {}): ScriptedRun {
  const members = Array.from({ length: count }, (_, i) => new ScriptedMember(i + 1, behaviours[i]));
  const run = new ScriptedRun(testCharter(), members);
  for (const member of members) run.join(member);
  return run;
}

const fatesOf = (run: ScriptedRun, member: ScriptedMember) =>
  Object.fromEntries(
    run.settlements().flatMap(({ round, device, outcome }) => (device === member.id ? [[round, outcome]] : [])),
  ) as Record<number, Outcome>;

/** An auditor that answers `outcome` at once, without having looked. */
function answers(outcome: 'abstain' | 'unavailable'): Behaviour {
  return (member, duty, run) => {
    if (duty.kind !== 'audit') return undefined;
    const { trainer, segment, round, base } = duty.audit;
    run.say(member, 'verdict', { trainer, segment, outcome, ...NOTHING }, { round, base });
    return 'done';
  };
}

test('the probability falls from one with clean audits to the floor, and a missing verdict makes it one', () => {
  const ppm = (cleanAudits: number, auditDue = false) =>
    auditPpm(50_000, { cleanAudits, auditDue, help: NO_HELP_KNOWN });
  assert.deepEqual(
    [0, 1, 2, 4, 9, 18, 19, 20, 1000].map((clean) => ppm(clean)),
    [1_000_000, 500_000, 333_333, 200_000, 100_000, 52_631, 50_000, 50_000, 50_000],
  );
  assert.equal(ppm(1000, true), 1_000_000);
});

test('audits are drawn as often as the probability says, and segments evenly', () => {
  const run = start(2);
  const { id } = run.members[0]!;
  const member = run.state.members[id]! as Member;
  for (const cleanAudits of [0, 1, 4, 1000]) {
    member.cleanAudits = cleanAudits;
    const expected = auditPpm(50_000, member) / 1_000_000;
    const tries = 4000;
    const drawn = Array.from({ length: tries }, (_, i) => drawSegment(run.state, hashOf('seed', i), id));
    const audits = drawn.filter((segment) => segment !== undefined);
    // Four standard deviations: a false alarm in sixteen thousand, and the seeds never change.
    const slack = 4 * Math.sqrt((expected * (1 - expected)) / tries);
    assert.ok(Math.abs(audits.length / tries - expected) <= slack, `${audits.length} of ${tries} at ${expected}`);
    const first = audits.filter((segment) => segment === 1).length / audits.length;
    assert.ok(Math.abs(first - 0.5) <= 4 * Math.sqrt(0.25 / audits.length));
  }
});

test('auditors that abstain are replaced twice; then the round is paid, and audited next time', () => {
  const run = start(5, Object.fromEntries([1, 2, 3, 4].map((i) => [i, answers('abstain')])));
  const [ada] = run.members;
  ada!.behaviour = answers('abstain');
  assert.ok(run.run(() => fatesOf(run, ada!)[1] !== undefined));
  assert.equal(fatesOf(run, ada!)[1], 'no-verdict');
  const drawn = run.events.filter(
    (event) => event.kind === 'audit-drawn' && event.trainer === ada!.id && event.round === 1,
  );
  assert.equal(drawn.length, 3);
  assert.equal(run.state.members[ada!.id]!.auditDue, true);
  assert.equal(auditPpm(1, run.state.members[ada!.id]!), 1_000_000);
  for (const member of run.members) member.behaviour = () => undefined;
  assert.ok(run.run(() => Object.values(fatesOf(run, ada!)).includes('matched')));
  assert.equal(run.state.members[ada!.id]!.auditDue, false);
});

test('silent auditors are replaced, and one who answers settles it', () => {
  const silent: Behaviour = (_, duty) => (duty.kind === 'audit' || duty.kind === 'judge' ? 'silent' : undefined);
  const run = start(4, { 1: silent, 2: silent });
  const [ada, , , dan] = run.members;
  assert.ok(run.run(() => fatesOf(run, ada!)[1] !== undefined));
  assert.equal(fatesOf(run, ada!)[1], 'matched');
  assert.deepEqual(run.settlements().find(({ device }) => device === ada!.id)!.evidence.auditors, [dan!.id]);
});

test('bytes that none of the auditors could fetch count as not opened; one who fetched them is enough', () => {
  const nobody = start(4, Object.fromEntries([1, 2, 3].map((i) => [i, answers('unavailable')])));
  assert.ok(nobody.run(() => fatesOf(nobody, nobody.members[0]!)[1] !== undefined));
  assert.equal(fatesOf(nobody, nobody.members[0]!)[1], 'unavailable');
  const one = start(4, Object.fromEntries([1, 2].map((i) => [i, answers('unavailable')])));
  assert.ok(one.run(() => fatesOf(one, one.members[0]!)[1] !== undefined));
  assert.equal(fatesOf(one, one.members[0]!)[1], 'matched');
});

test('a trace that is not opened in time is not paid, and the device starts again from zeros', () => {
  for (const kind of ['open', 'close'] as const) {
    const run = start(3, { 2: (_, duty) => (duty.kind === kind ? 'silent' : undefined) });
    const eve = run.members[2]!;
    assert.ok(run.run(() => fatesOf(run, eve)[1] !== undefined));
    assert.equal(fatesOf(run, eve)[1], 'not-opened');
    assert.deepEqual(run.state.members[eve.id]!.carry.moments, run.state.charter.zeroMoments);
    assert.equal(run.state.members[eve.id]!.cleanAudits, 0);
    assert.equal(run.state.members[eve.id]!.failedAudits, 0, 'lateness is no lie');
  }
});

test('who is away when its trace is asked for has until the next round is over, and nobody waits longer', () => {
  for (const comesBack of [true, false]) {
    const run = start(3);
    const [ada, , eve] = run.members;
    let goneMs = Number.POSITIVE_INFINITY;
    const isOver = () => run.nowMs > goneMs + 2 * run.state.charter.timing.openTraceMs;
    ada!.behaviour = (_, duty) => (duty.kind === 'train' && duty.round === 2 && !isOver() ? 'silent' : undefined);
    eve!.behaviour = (member, duty) => {
      if (goneMs < run.nowMs) return comesBack && isOver() ? undefined : 'silent';
      if (duty.kind !== 'open') return undefined;
      goneMs = run.nowMs;
      run.say(member, 'leave', { abstains: false });
      return 'done';
    };
    assert.ok(run.run(() => fatesOf(run, eve!)[1] !== undefined));
    assert.equal(fatesOf(run, eve!)[1], comesBack ? 'matched' : 'not-opened');
    assert.ok(run.state.round.number <= 4, 'no round more than two ahead has begun');
  }
});

test('what was built on a refused state is not paid, in however many rounds, until the device starts from zeros', () => {
  const run = start(4);
  const cheat = run.members[3]!;
  cheat.behaviour = (member, duty, world) => {
    if (duty.kind !== 'train' || duty.round !== 1) return undefined;
    const { moments } = duty.seat.carryIn;
    world.commit(member, duty, { states: [1, 2].map(() => ({ params: duty.base, moments })) });
    return 'done';
  };
  // Auditors take their time with the cheat, so that it carries the invented state on for two rounds.
  const slow: Behaviour = (_, duty, world) =>
    isAbout(duty, cheat) && world.state.round.number < 4 ? 'silent' : undefined;
  for (const member of run.members.slice(0, 3)) member.behaviour = slow;
  run.state.charter.timing.auditMs = 10_000_000;
  assert.ok(run.run(() => run.state.finalized === 9 && Object.keys(run.state.audits).length === 0, 5000));
  const fates = fatesOf(run, cheat);
  assert.equal(fates[1], 'mismatch');
  assert.equal(fates[2], 'tainted');
  assert.equal(fates[3], 'tainted');
  assert.deepEqual(
    new Set([6, 7, 8].map((round) => fates[round] === 'matched' || fates[round] === 'not-drawn')),
    new Set([true]),
  );
  const paid = Object.values(fates).filter((outcome) => outcome === 'matched' || outcome === 'not-drawn').length;
  assert.equal(balanceOf(run.state.ledger, run.state.members[cheat.id]!.account).earned, paid * 20);
});

test('after a missed or void round a device goes on from what it carried before: moments, error memory and steps', () => {
  const run = start(4, { 3: (_, duty) => (duty.kind === 'reveal' && duty.round === 2 ? 'silent' : undefined) });
  run.state.charter.audit.floorPpm = 1_000_000;
  const dan = run.members[3]!;
  assert.ok(run.run(() => run.state.round.number === 2 && run.state.round.seats[dan.id]?.commit != null));
  const before = run.state.round.seats[dan.id]!.carryIn;
  assert.notEqual(before.error, run.state.charter.zeroError);
  assert.ok(run.run(() => fatesOf(run, dan)[2] !== undefined));
  assert.equal(fatesOf(run, dan)[2], 'not-revealed');
  assert.deepEqual(run.state.members[dan.id]!.carry, before);
  assert.equal(run.ready(dan), null);
  assert.ok(
    run.run(() => run.state.members[dan.id]!.cleanAudits >= 2),
    'what starts from the kept memory is audited',
  );
  const next = run.settlements().find(({ round, device }) => device === dan.id && round > 2)!;
  assert.equal(next.outcome, 'matched');

  const voided = start(3);
  assert.ok(voided.run(() => voided.state.round.number === 3 && voided.state.round.phase === 'train'));
  const carried = structuredClone(voided.state.members[voided.members[0]!.id]!.carry);
  for (const member of voided.members) member.behaviour = (_, duty) => (duty.kind === 'train' ? 'silent' : undefined);
  voided.run(() => voided.state.round.number === 4);
  assert.deepEqual(voided.state.members[voided.members[0]!.id]!.carry, carried);
  assert.ok(voided.settlements().filter(({ round, outcome }) => round === 3 && outcome === 'void').length === 3);
});

test('an error memory of a round that did not count is nothing to start from', () => {
  const run = start(4, { 3: (_, duty) => (duty.kind === 'reveal' && duty.round === 2 ? 'silent' : undefined) });
  const dan = run.members[3]!;
  assert.ok(run.run(() => run.state.round.number === 2 && run.state.round.seats[dan.id]?.commit != null));
  const { errorOut, momentsOut } = run.state.round.seats[dan.id]!.commit!;
  const refusals: (string | null)[] = [];
  dan.behaviour = (member, duty, world) => {
    if (duty.kind === 'reveal' && duty.round === 2) return 'silent';
    if (duty.kind !== 'train' || refusals.length > 0) return undefined;
    for (const invented of [{ error: errorOut }, { moments: momentsOut }]) {
      const seat = { ...duty.seat, carryIn: { ...duty.seat.carryIn, ...invented } };
      refusals.push(world.commit(member, { ...duty, seat }));
    }
    return 'done';
  };
  assert.ok(run.run(() => fatesOf(run, dan)[2] !== undefined));
  assert.equal(run.ready(dan), null);
  assert.ok(run.run(() => refusals.length > 0));
  assert.match(refusals[0]!, /error memory is not/);
  assert.match(refusals[1]!, /moments are not/);
});

test('a declared reset starts from zeros and makes audits certain again', () => {
  const run = start(3);
  const ada = run.members[0]!;
  assert.ok(run.run(() => run.state.members[ada.id]!.cleanAudits >= 2));
  assert.equal(run.ready(ada, true), null);
  const member = run.state.members[ada.id]!;
  assert.deepEqual(
    [member.carry.moments, member.carry.error],
    [run.state.charter.zeroMoments, run.state.charter.zeroError],
  );
  assert.deepEqual([member.carry.steps, member.cleanAudits], [0, 0]);
});

test('a new round waits for audits of the third round back, and only for those', () => {
  const run = start(3, { 2: (_, duty) => ('audit' in duty && duty.audit.round === 1 ? 'silent' : undefined) });
  run.state.charter.timing.openTraceMs = run.state.charter.timing.auditMs = 10_000_000;
  run.members[0]!.behaviour = run.members[1]!.behaviour = run.members[2]!.behaviour;
  run.run(() => run.state.round.number === 4 && run.state.round.phase === 'open', 300);
  assert.equal(run.state.finalized, 3);
  assert.equal(run.state.round.phase, 'open');
  for (const member of run.members) member.behaviour = () => undefined;
  assert.ok(run.run(() => run.state.finalized === 5));
});

function isAbout(duty: Duty, trainer: ScriptedMember): boolean {
  return 'audit' in duty && duty.audit.trainer === trainer.id;
}
