/** Who may say what in a dispute, and what silence of each side and of the judges comes to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf } from '@folkmoot/core';
import { balanceOf } from '@folkmoot/ledger';
import { claimTree, type Move, type Said, spineOf, stateLeaf } from '@folkmoot/records';
import type { Case } from './index.ts';
import { type Behaviour, ScriptedMember, ScriptedRun, testCharter } from './scripted.test-support.ts';

const EXACT = { kind: 'exact', tolerancePpm: 0 } as const;

/** A run of `count` in which number `liar` finds everybody's work wrong; stands where a case has been opened. */
function disputed(
  count: number,
  liars: readonly number[],
  isAtStake = false,
): { run: ScriptedRun; found: Case; accuser: ScriptedMember } {
  const lie: Behaviour = (member, duty, run) => {
    if (duty.kind === 'audit') {
      const { trainer, segment, round, base } = duty.audit;
      const result = hashOf('audit-result', ROOT, SALT, member.id);
      run.say(member, 'result', { trainer, segment, result }, { round, base });
      return 'done';
    }
    if (duty.kind !== 'judge') return undefined;
    const { trainer, segment, round, base } = duty.audit;
    const lied = { outcome: 'mismatch', part: 'segment', stateRoot: ROOT, salt: SALT, distancePpm: 1_000_000 } as const;
    run.say(member, 'verdict', { trainer, segment, ...lied, tensor: 't' }, { round, base });
    return 'done';
  };
  const members = Array.from(
    { length: count },
    (_, i) => new ScriptedMember(i + 1, liars.includes(i) ? lie : undefined),
  );
  const run = new ScriptedRun(testCharter({ engine: EXACT, audit: { floorPpm: 1_000_000 } }), members);
  for (const member of members) run.join(member);
  const locked = (device: string) => balanceOf(run.state.ledger, run.state.members[device]!.account).locked;
  const isHonest = ({ audit, accusations }: Case) =>
    !liars.some((i) => members[i]!.id === audit.trainer) &&
    (!isAtStake || [audit.trainer, ...Object.keys(accusations)].every((device) => locked(device) > 0));
  assert.ok(
    run.run(() => Object.values(run.state.cases).some(isHonest), 10_000),
    'a case is opened',
  );
  const found = Object.values(run.state.cases).find(isHonest)!;
  return { run, found, accuser: members.find(({ id }) => id === Object.keys(found.accusations)[0])! };
}

const ROOT = hashOf('invented');
const SALT = hashOf('salt');
const LIST = hashOf('list');

/** Says a move about the case; the reason of a refusal. */
function move(run: ScriptedRun, who: ScriptedMember, found: Case, accuser: ScriptedMember, said: Move, turn?: number) {
  const game = found.accusations[accuser.id]!.dispute?.game;
  const body: Said<'dispute'> = {
    trainer: found.audit.trainer,
    accuser: accuser.id,
    turn: turn ?? game?.moves ?? 0,
    move: said,
  };
  return run.say(who, 'dispute', body, { round: found.audit.round, base: found.audit.base });
}

const leavesEndingIn = (last: string, count: number) =>
  Array.from({ length: count }, (_, i) => (i === count - 1 ? last : hashOf('leaf', i)));

function claim(found: Case, count = 2): Move {
  const { endParams, endMoments } = found.audit.closed!;
  const leaves = leavesEndingIn(stateLeaf([endParams, endMoments]), count);
  return { is: 'claim', list: LIST, leaves: count, spine: spineOf(claimTree(leaves)) };
}

test('only the side whose turn it is may move, once, and only as the game allows', () => {
  const { run, found, accuser } = disputed(5, [4]);
  const trainer = run.members.find(({ id }) => id === found.audit.trainer)!;
  const other = run.members.find((member) => member !== trainer && member !== accuser)!;
  const refused: [ScriptedMember, Move, RegExp][] = [
    [other, { is: 'raise' }, /only the two sides/],
    [trainer, claim(found), /not disputed/],
  ];
  for (const [who, said, reason] of refused) assert.match(move(run, who, found, accuser, said)!, reason);
  assert.equal(move(run, trainer, found, accuser, { is: 'raise' }), null);
  assert.match(move(run, accuser, found, accuser, { is: 'raise' })!, /no more/);
  assert.match(move(run, accuser, found, accuser, { is: 'point', child: 0 })!, /another’s turn/);
  assert.match(move(run, other, found, accuser, claim(found))!, /another’s turn/);
  assert.match(move(run, trainer, found, accuser, claim(found, 3))!, /a segment has 2 steps/);
  const foreign: Move = { ...claim(found), spine: [[hashOf('a'), hashOf('b')]] } as Move;
  assert.match(move(run, trainer, found, accuser, foreign)!, /does not end in what was committed/);
  assert.equal(move(run, trainer, found, accuser, claim(found)), null);
  assert.match(move(run, trainer, found, accuser, claim(found))!, /another’s turn/);
  assert.match(move(run, accuser, found, accuser, { is: 'point', child: 2 })!, /no such child/);
  assert.match(move(run, accuser, found, accuser, { is: 'point', child: 0 }, 0)!, /made before/);
  assert.equal(move(run, accuser, found, accuser, { is: 'point', child: 0 }), null);
  assert.match(move(run, other, found, accuser, { is: 'rule', outcome: 'trainer' })!, /not a judge/);
});

test('a dispute runs out of patience once, over all moves of a side: silence of the accuser voids its finding', () => {
  const { run, found, accuser } = disputed(5, [4]);
  const trainer = run.members.find(({ id }) => id === found.audit.trainer)!;
  const patience = 12 * run.state.charter.timing.auditMs;
  assert.equal(move(run, accuser, found, accuser, { is: 'raise' }), null);
  // Away for most of it, and back: nothing is lost.
  run.nowMs += patience - 1000;
  assert.equal(move(run, trainer, found, accuser, claim(found)), null);
  assert.ok(found.accusations[accuser.id]!.dispute!.clockMs.trainer <= 1000);
  run.nowMs += patience + 1;
  run.tick();
  const ended = run.events.find((event) => event.kind === 'dispute-ended');
  assert.equal(ended?.kind === 'dispute-ended' && ended.standing, 'withdrawn');
});

test('silence of the trainer leaves everything as the audit found it', () => {
  const { run, found, accuser } = disputed(5, [3, 4]);
  const before = balanceOf(run.state.ledger, run.state.members[found.audit.trainer]!.account);
  assert.equal(move(run, accuser, found, accuser, { is: 'raise' }), null);
  run.nowMs += 12 * run.state.charter.timing.auditMs + 1;
  run.tick();
  const ended = run.events.find((event) => event.kind === 'dispute-ended');
  assert.equal(ended?.kind === 'dispute-ended' && ended.standing, 'left');
  assert.deepEqual(balanceOf(run.state.ledger, run.state.members[found.audit.trainer]!.account), before);
  assert.ok(!run.events.some((event) => event.kind === 'amended'));
  run.nowMs += 12 * run.state.charter.timing.auditMs + 1;
  run.tick();
  assert.ok(
    Object.values(run.state.cases).every(({ audit }) => audit !== found.audit),
    'the case is closed',
  );
  for (const member of Object.values(run.state.members)) assert.ok(member.cases.every((key) => run.state.cases[key]));
});

test('a refused trainer against whom no finding is left is paid after all', () => {
  const { run } = disputed(5, [3, 4]);
  const isUnpaid = ({ audit, outcome }: Case) =>
    ['mismatch', 'disputed'].includes(outcome) && run.members.slice(0, 3).some(({ id }) => id === audit.trainer);
  assert.ok(run.run(() => Object.values(run.state.cases).some(isUnpaid), 10_000));
  const found = Object.values(run.state.cases).find(isUnpaid)!;
  const trainer = run.members.find(({ id }) => id === found.audit.trainer)!;
  const paid = () => balanceOf(run.state.ledger, run.state.members[trainer.id]!.account).earned;
  const before = paid();
  const accusers = Object.keys(found.accusations).map((accuser) => run.members.find(({ id }) => id === accuser)!);
  const ends = () => run.events.flatMap((event) => (event.kind === 'dispute-ended' ? [event.standing] : []));
  for (const [i, accuser] of accusers.entries()) {
    assert.equal(move(run, trainer, found, accuser, { is: 'raise' }), null);
    assert.equal(move(run, trainer, found, accuser, claim(found)), null);
    assert.equal(move(run, accuser, found, accuser, { is: 'concede' }), null);
    assert.deepEqual(ends(), Array(i + 1).fill('withdrawn'));
    if (i + 1 < accusers.length) assert.equal(paid(), before);
  }
  const amended = run.events.filter((event) => event.kind === 'amended').at(-1);
  assert.equal(amended?.kind === 'amended' && amended.settlement.outcome, 'upheld');
  assert.ok(paid() > before);
});

/** Plays a dispute until its judges are drawn. */
function searched(run: ScriptedRun, found: Case, accuser: ScriptedMember): void {
  const trainer = run.members.find(({ id }) => id === found.audit.trainer)!;
  const end = stateLeaf([found.audit.closed!.endParams, found.audit.closed!.endMoments]);
  move(run, trainer, found, accuser, { is: 'raise' });
  move(run, trainer, found, accuser, claim(found));
  move(run, accuser, found, accuser, { is: 'point', child: 1 });
  const spine = spineOf(claimTree(leavesEndingIn(end, 40)));
  assert.equal(move(run, trainer, found, accuser, { is: 'claim', list: LIST, leaves: 40, spine }), null);
  move(run, accuser, found, accuser, { is: 'point', child: 0 });
  const children = claimTree(leavesEndingIn(end, 40))[2]!.slice(0, 32);
  assert.match(
    move(run, trainer, found, accuser, { is: 'show', children: children.toReversed() })!,
    /not the children/,
  );
  assert.equal(move(run, trainer, found, accuser, { is: 'show', children }), null);
  assert.equal(move(run, accuser, found, accuser, { is: 'point', child: 7 }), null);
}

test('two of three judges are not more than two thirds; judges that stay silent decide nothing', () => {
  const { run, found, accuser } = disputed(5, [4]);
  searched(run, found, accuser);
  const running = found.accusations[accuser.id]!.dispute!;
  assert.deepEqual([running.game.turn, running.game.operator!.index], ['judges', 7]);
  assert.ok(!running.judges.includes(found.audit.trainer) && !running.judges.includes(accuser.id));
  const judges = running.judges.map((judge) => run.members.find(({ id }) => id === judge)!);
  assert.equal(judges.length, 3);
  for (const judge of judges.slice(0, 2))
    assert.equal(move(run, judge, found, accuser, { is: 'rule', outcome: 'accuser' }), null);
  assert.match(move(run, judges[0]!, found, accuser, { is: 'rule', outcome: 'trainer' })!, /ruled before/);
  assert.equal(found.accusations[accuser.id]!.standing, 'disputed');
  for (let draw = 0; draw < 3; draw++) {
    run.nowMs += 4 * run.state.charter.timing.auditMs + 1;
    run.tick();
  }
  assert.equal(found.accusations[accuser.id]!.standing, 'left');
});

for (const [outcome, standing] of [
  ['trainer', 'proven'],
  ['accuser', 'refuted'],
] as const)
  test(`judges find the ${outcome} at fault: it loses what it has locked, and the other side nothing`, () => {
    const { run, found, accuser } = disputed(5, [4], true);
    searched(run, found, accuser);
    const balance = (device: string) => balanceOf(run.state.ledger, run.state.members[device]!.account);
    const { trainer } = found.audit;
    const [before, accusers] = [balance(trainer), balance(accuser.id)];
    for (const judge of found.accusations[accuser.id]!.dispute!.judges)
      move(run, run.members.find(({ id }) => id === judge)!, found, accuser, { is: 'rule', outcome });
    assert.equal(found.accusations[accuser.id]!.standing, standing);
    const isProven = standing === 'proven';
    assert.equal(balance(trainer).forfeited - before.forfeited, isProven ? before.locked : 0);
    assert.equal(balance(accuser.id).forfeited - accusers.forfeited, isProven ? 0 : accusers.locked);
    const amended = run.events.filter((event) => event.kind === 'amended').at(-1);
    const isRefused = found.outcome === 'mismatch' || found.outcome === 'disputed';
    const wanted = isProven ? 'arbitrated' : isRefused ? 'upheld' : undefined;
    assert.equal(amended?.kind === 'amended' ? amended.settlement.outcome : undefined, wanted);
  });
