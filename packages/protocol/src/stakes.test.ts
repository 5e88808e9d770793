/** What hangs on an audit where credit is locked: two auditors, a jury, what is lost, and what only waits. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf } from '@folkmoot/core';
import { balanceOf } from '@folkmoot/ledger';
import { resultOf, type StateIds, stateRoot } from '@folkmoot/records';
import { type Behaviour, ScriptedMember, ScriptedRun, testCharter } from './scripted.test-support.ts';
import type { Audit } from './state.ts';
import { isGrave } from './weigh.ts';

const SALT = hashOf('salt of a liar');
const FAR = { outcome: 'mismatch', part: 'segment', distancePpm: 1_000_000, tensor: 'all' } as const;
const VESTING = 4;
/** Scripted members act one after the other, 100 ms each: nobody is late for that. */
const PATIENT = { ...testCharter().timing, trainMs: 600_000, graceMs: 600_000, openTraceMs: 60_000, auditMs: 60_000 };

/** A run whose members have all been audited clean, and from now on are audited nearly always. */
function trustedRun(count: number): ScriptedRun {
  const members = Array.from({ length: count }, (_, i) => new ScriptedMember(i + 1));
  const run = new ScriptedRun(
    testCharter({ timing: PATIENT, credit: { perSegment: 10, vestingRounds: VESTING } }),
    members,
  );
  for (const member of members) run.join(member);
  assert.ok(run.run(() => members.every(({ id }) => run.state.members[id]!.cleanAudits >= 1)));
  run.state.charter.audit.floorPpm = 999_999;
  oneRound(run);
  return run;
}

/** Claims that nothing changed. */
const idle: Behaviour = (member, duty, run) => {
  if (duty.kind !== 'train') return undefined;
  const { moments } = duty.seat.carryIn;
  run.commit(member, duty, { states: [1, 2].map(() => ({ params: duty.base, moments })) });
  return 'done';
};

/** As an auditor it swears to `root`, and finds what `finding` says. */
function swears(
  root: (audit: Audit) => string | undefined,
  finding: typeof FAR | { outcome: 'match'; part: 'segment'; distancePpm: 0; tensor: '' },
): Behaviour {
  return (member, duty, run) => {
    if (duty.kind !== 'audit' && duty.kind !== 'judge') return undefined;
    const { trainer, segment, round, base } = duty.audit;
    const claimed = root(duty.audit);
    if (claimed === undefined) return undefined;
    const place = { round, base };
    if (duty.kind === 'audit')
      run.say(member, 'result', { trainer, segment, result: resultOf(claimed, SALT, member.id) }, place);
    else run.say(member, 'verdict', { trainer, segment, ...finding, stateRoot: claimed, salt: SALT }, place);
    return 'done';
  };
}

const accuses = (victim: ScriptedMember) =>
  swears((audit) => (audit.trainer === victim.id ? hashOf('lie') : undefined), FAR);

/** Knows from `friend` what it will claim. */
function vouchesFor(friend: ScriptedMember): Behaviour {
  const claimOf = (audit: Audit): StateIds | undefined =>
    audit.trainer === friend.id ? friend.traces.get(audit.round)!.states[audit.segment - 1] : undefined;
  const rootOf = (audit: Audit) => {
    const claim = claimOf(audit);
    return claim && stateRoot(claim);
  };
  return swears(rootOf, { outcome: 'match', part: 'segment', distancePpm: 0, tensor: '' });
}

/** Lets the next whole round pass and everything that is audited of it; returns its number. */
function oneRound(run: ScriptedRun): number {
  const next = run.state.round.number + 1;
  const settled = () => run.settlements().filter(({ round }) => round === next).length;
  assert.ok(run.run(() => run.state.round.number > next && settled() === run.members.length, 5000));
  return next;
}

const fateOf = (run: ScriptedRun, { id }: ScriptedMember, round: number) =>
  run.settlements().find((settlement) => settlement.device === id && settlement.round === round)!;

/** What became of the first round that was not good, if any. */
function firstBadFate(run: ScriptedRun, { id }: ScriptedMember): string[] {
  const fates = run.settlements().filter(({ device }) => device === id);
  return fates
    .flatMap(({ outcome }) => (['matched', 'not-drawn', 'tainted'].includes(outcome) ? [] : [outcome]))
    .slice(0, 1);
}

const balance = (run: ScriptedRun, { id }: ScriptedMember) =>
  balanceOf(run.state.ledger, run.state.members[id]!.account);

test('whoever is trusted on its record is audited by two, and both commit before it closes', () => {
  const run = trustedRun(5);
  const [ada] = run.members as [ScriptedMember];
  const from = run.records.length;
  const round = oneRound(run);
  assert.equal(fateOf(run, ada, round).evidence.auditors!.length, 2);
  const steps = run.records
    .slice(from)
    .map(({ body }) => body)
    .filter((body) => body.round === round && ('trainer' in body ? body.trainer : body.device) === ada.id)
    .map(({ kind }) => kind)
    .filter((kind) => ['result', 'close', 'verdict'].includes(kind));
  assert.deepEqual(steps, ['result', 'result', 'close', 'verdict', 'verdict']);
});

test('of two auditors one may be silent: the other’s finding counts', () => {
  const run = trustedRun(3);
  const [ada, ben] = run.members as [ScriptedMember, ScriptedMember];
  ben.behaviour = (_, duty) => ('audit' in duty && duty.audit.trainer === ada.id ? 'silent' : undefined);
  const round = oneRound(run);
  assert.equal(fateOf(run, ada, round).outcome, 'matched');
});

test('a friend among the auditors does not save whoever did nothing: a jury takes what is locked', () => {
  const run = trustedRun(6);
  const [, , , , friend, cheat] = run.members as ScriptedMember[] as Record<number, ScriptedMember> & ScriptedMember[];
  cheat!.behaviour = idle;
  friend!.behaviour = vouchesFor(cheat!);
  assert.ok(balance(run, cheat!).locked > 0);
  oneRound(run);
  assert.deepEqual(firstBadFate(run, cheat!), ['mismatch']);
  assert.equal(balance(run, cheat!).locked, 0);
  assert.ok(balance(run, cheat!).forfeited > 0);
  for (const event of run.events) if (event.kind === 'overruled') assert.equal(event.device, friend!.id);
  for (const member of run.members.slice(0, 5)) assert.equal(balance(run, member).forfeited, 0);
});

test('two accusers among seven refuse nobody and take nothing; who was overruled audits no more', () => {
  const run = trustedRun(8);
  const victim = run.members[0]!;
  const liars = run.members.slice(6);
  for (const liar of liars) liar.behaviour = accuses(victim);
  for (let i = 0; i < 6; i++) {
    const round = oneRound(run);
    assert.equal(fateOf(run, victim, round).outcome, 'matched');
  }
  assert.equal(balance(run, victim).forfeited, 0);
  const refused = run.events.filter((event) => event.kind === 'overruled').map(({ device }) => device);
  assert.ok(refused.length > 0 && refused.every((device) => liars.some(({ id }) => id === device)));
});

test('a majority of a jury that is no more than two thirds refuses the round, and takes nothing that is locked', () => {
  const run = trustedRun(8);
  const cheat = run.members[7]!;
  cheat.behaviour = idle;
  for (const friend of run.members.slice(4, 7)) friend.behaviour = vouchesFor(cheat);
  // Asked of all seven: only where a friend is not the first pair alone does anybody find it.
  for (let i = 0; i < 8 && firstBadFate(run, cheat).length === 0; i++) oneRound(run);
  assert.deepEqual(firstBadFate(run, cheat), ['mismatch']);
  assert.ok(run.events.every(({ kind }) => kind !== 'forfeited'));
  assert.equal(balance(run, cheat).forfeited, 0);
});

test('what is not opened keeps the locked credit locked, until it is opened after all; then nothing was lost', () => {
  const run = trustedRun(5);
  const ada = run.members[0]!;
  let isAway = true;
  ada.behaviour = (_, duty) => (isAway && duty.kind === 'open' ? 'silent' : undefined);
  oneRound(run);
  assert.deepEqual(firstBadFate(run, ada), ['not-opened']);
  const { locked } = balance(run, ada);
  assert.ok(locked > 0);
  for (let i = 0; i < VESTING + 4; i++) oneRound(run);
  assert.ok(balance(run, ada).locked >= locked, 'nothing unlocks');
  isAway = false;
  assert.ok(run.run(() => run.state.members[ada.id]!.owes === null, 5000));
  for (let i = 0; i < VESTING + 3; i++) oneRound(run);
  assert.ok(balance(run, ada).unlocked >= locked);
  assert.equal(balance(run, ada).forfeited, 0);
  assert.ok(run.members.every((member) => balance(run, member).forfeited === 0));
});

test('whoever did nothing and opens late is judged by a jury, all of which is asked at once', () => {
  const run = trustedRun(5);
  let asked = 0;
  run.watch = (events) => {
    asked = Math.max(asked, events.filter(({ kind }) => kind === 'asked-again').length);
  };
  const cheat = run.members[4]!;
  cheat.behaviour = (member, duty, world) => (duty.kind === 'open' ? 'silent' : idle(member, duty, world));
  oneRound(run);
  assert.deepEqual(firstBadFate(run, cheat), ['not-opened']);
  assert.ok(balance(run, cheat).locked > 0);
  cheat.behaviour = (_, duty) => (duty.kind === 'train' ? 'silent' : undefined);
  assert.ok(run.run(() => run.state.members[cheat.id]!.owes === null, 5000));
  assert.ok(balance(run, cheat).forfeited > 0);
  assert.equal(balance(run, cheat).locked, 0);
  assert.equal(asked, 4);
});

test('a newcomer has nothing to lose: two mismatches refuse its round, and nobody else is asked', () => {
  const members = Array.from({ length: 6 }, (_, i) => new ScriptedMember(i + 1, i === 5 ? idle : undefined));
  const run = new ScriptedRun(testCharter(), members);
  for (const member of members) run.join(member);
  assert.ok(run.run(() => run.settlements().some(({ device, round }) => device === members[5]!.id && round === 1)));
  const { outcome, evidence } = fateOf(run, members[5]!, 1);
  assert.deepEqual([outcome, evidence.auditors!.length], ['mismatch', 2]);
  const asked = run.events.filter(
    (event) => event.kind === 'audit-drawn' && event.trainer === members[5]!.id && event.round === 1,
  );
  assert.equal(asked.length, 2);
});

test('grave is what no honest engine makes', () => {
  const native = testCharter({ engine: { kind: 'native', tolerancePpm: 120, calibration: hashOf('calibration') } });
  const exact = testCharter({ engine: { kind: 'exact', tolerancePpm: 0 } });
  const mismatch = (distancePpm: number, part: 'segment' | 'encode' = 'segment') =>
    ({ outcome: 'mismatch', part, distancePpm }) as const;
  assert.equal(isGrave(native, mismatch(121)), false);
  assert.equal(isGrave(native, mismatch(11_999)), false);
  assert.equal(isGrave(native, mismatch(12_000)), true);
  assert.equal(isGrave(native, mismatch(0, 'encode')), true);
  assert.equal(isGrave(exact, mismatch(1)), true);
  assert.equal(isGrave(exact, { outcome: 'match', part: 'segment', distancePpm: 0 }), false);
  assert.equal(isGrave(native, { outcome: 'unavailable', part: 'segment', distancePpm: 0 }), false);
});
