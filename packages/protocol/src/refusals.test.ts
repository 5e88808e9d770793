/** What a member may not say: one thing changed in an honest record, and it is refused with its reason. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf } from '@folkmoot/core';
import { resultOf, stateRoot } from '@folkmoot/records';
import { type Audit, type Duty, duties } from './index.ts';
import { closingOf, openingOf, ScriptedMember, ScriptedRun, testCharter } from './scripted.test-support.ts';

const FORGED = hashOf('forged');

test('an opening is of the drawn segment, of this trace, and of what it stands for', () => {
  const { run, member, audit } = at('open', (found) => found.segment > 1);
  const honest = openingOf(member, audit);
  const lies: Record<string, unknown>[] = [
    { segment: audit.segment === 1 ? 2 : 1 },
    { params: FORGED },
    { moments: FORGED },
    { previous: FORGED },
    { previous: null },
    { start: { ...honest.start, index: honest.start.index + 1 } },
    { start: { ...honest.start, salt: FORGED } },
    { start: { ...honest.start, proof: honest.start.proof.slice(1) } },
  ];
  refuses(run, member, 'open', honest, lies, audit);
});

test('the start of a first segment is public: the base and the carried moments', () => {
  const { run, member, audit } = at('open', (found) => found.segment === 1);
  const honest = openingOf(member, audit);
  refuses(run, member, 'open', honest, [{ params: FORGED }, { moments: FORGED }, { previous: FORGED }], audit);
});

for (const segment of [1, 2])
  test(`a closing is of the same trace in every part, when segment ${segment} of two was drawn`, () => {
    const { run, member, audit } = at('close', (found) => found.segment === segment);
    const honest = closingOf(member, audit);
    const lies: Record<string, unknown>[] = (['end', 'last', 'encode'] as const).flatMap((part) => [
      { [part]: { ...honest[part], salt: FORGED } },
      { [part]: { ...honest[part], index: honest[part].index - 1 } },
      { [part]: { ...honest[part], proof: [] } },
    ]);
    lies.push({ endParams: FORGED }, { endMoments: FORGED }, { lastParams: FORGED }, { lastPrevious: FORGED });
    refuses(run, member, 'close', honest, lies, audit);
  });

test('nobody opens, closes, or answers in another’s place or out of turn', () => {
  const { run, member, audit } = at('open');
  const place = { round: audit.round, base: audit.base };
  // A newcomer: nothing of its own is audited.
  const other = new ScriptedMember(9);
  run.join(other);
  const turn = { trainer: audit.trainer, segment: audit.segment };
  assert.match(run.say(other, 'open', openingOf(member, audit), place)!, /no such segment/);
  assert.match(run.say(member, 'close', closingOf(member, audit), place)!, /no such segment/);
  for (const each of run.members)
    assert.match(run.say(each, 'result', { ...turn, result: FORGED }, place)!, /no result is due/);
});

test('a verdict shows what its auditor committed to, and says no more than the bits', () => {
  const { run, member, audit } = at('judge');
  const honest = run.verdictOf(audit);
  assert.equal(honest.outcome, 'match');
  const other = { params: FORGED, moments: FORGED };
  refuses(
    run,
    member,
    'verdict',
    honest,
    [
      { stateRoot: null },
      { salt: null },
      { salt: FORGED },
      { stateRoot: stateRoot(other) },
      { outcome: 'mismatch', part: 'segment' },
      { outcome: 'within' },
      { segment: honest.segment === 1 ? 2 : 1 },
      { trainer: member.id },
    ],
    audit,
  );
});

test('a result is given once, and not by whoever was not drawn', () => {
  const { run, member, audit } = at('audit');
  const place = { round: audit.round, base: audit.base };
  const said = { trainer: audit.trainer, segment: audit.segment, result: resultOf(FORGED, FORGED, member.id) };
  for (const other of run.members.filter((each) => each !== member))
    assert.match(run.say(other, 'result', said, place)!, /no result is due/);
  assert.equal(run.say(member, 'result', said, place), null);
  assert.match(run.say(member, 'result', { ...said, result: FORGED }, place)!, /no result is due/);
});

test('a commit starts from what the device carried, takes its own seat, and comes once', () => {
  const run = started();
  run.run(() => run.state.round.number === 3 && run.state.round.phase === 'train');
  const [ada, bob] = run.members as [ScriptedMember, ScriptedMember];
  const duty = duties(run.state, ada.id).find(
    (each): each is Extract<Duty, { kind: 'train' }> => each.kind === 'train',
  )!;
  run.commit(ada, duty);
  const honest = run.records.at(-1)!.body as never as Record<string, unknown>;
  assert.match(run.say(ada, 'commit', saidOf(honest) as never)!, /committed before/);
  const bobs = run.state.round.seats[bob.id]!;
  const base = { ...saidOf(honest), seat: bobs.seat, momentsIn: bobs.carryIn.moments, errorIn: bobs.carryIn.error };
  for (const [lie, reason] of [
    [{ seat: bobs.seat + 7 }, /seat/],
    [{ momentsIn: FORGED }, /moments are not those/],
    [{ momentsIn: run.state.charter.zeroMoments }, /moments are not those/],
    [{ errorIn: FORGED }, /error memory is not/],
    [{ errorIn: run.state.charter.zeroError }, /error memory is not/],
  ] as const)
    assert.match(run.say(bob, 'commit', { ...base, ...lie } as never)!, reason);
  assert.equal(run.say(bob, 'commit', base as never), null);
});

test('a reveal is the committed update, of a size that an encoding can have, once', () => {
  const run = started();
  run.run(() => run.state.round.phase === 'reveal');
  const [ada] = run.members as [ScriptedMember];
  const { update, salt } = ada.traces.get(run.state.round.number)!;
  const honest = { update, salt, updateBytes: 1000 };
  refuses(run, ada, 'reveal', honest, [{ update: FORGED }, { salt: FORGED }, { updateBytes: 2 ** 30 }]);
  assert.match(run.say(ada, 'reveal', honest)!, /reveal/);
});

function started(): ScriptedRun {
  const members = [1, 2, 3].map((index) => new ScriptedMember(index));
  const run = new ScriptedRun(testCharter(), members);
  for (const member of members) run.join(member);
  return run;
}

/** A run that stands at an audit duty of this kind. */
function at(kind: 'open' | 'close' | 'audit' | 'judge', fits: (audit: Audit) => boolean = () => true) {
  const run = started();
  let found: { member: ScriptedMember; audit: Audit } | undefined;
  const look = () => {
    for (const member of run.members)
      for (const duty of duties(run.state, member.id))
        if (duty.kind === kind && fits(duty.audit)) found ??= { member, audit: duty.audit };
    return found !== undefined;
  };
  assert.ok(run.run(look));
  return { run, ...found! };
}

/** Every lie is refused, and then the honest record is not. */
function refuses(
  run: ScriptedRun,
  member: ScriptedMember,
  kind: 'open' | 'close' | 'verdict' | 'reveal',
  honest: object,
  lies: readonly object[],
  place?: { round: number; base: string },
): void {
  const at_ = place && { round: place.round, base: place.base };
  for (const lie of lies)
    assert.notEqual(run.say(member, kind, { ...honest, ...lie } as never, at_), null, JSON.stringify(lie));
  assert.equal(run.say(member, kind, honest as never, at_), null);
}

/** What a record says beside its place. */
function saidOf(body: Record<string, unknown>): Record<string, unknown> {
  const { kind: _k, run: _r, round: _o, base: _b, device: _d, seq: _s, seen: _e, ...said } = body;
  return said;
}
