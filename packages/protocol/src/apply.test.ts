import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf } from '@folkmoot/core';
import { balanceOf } from '@folkmoot/ledger';
import { type Behaviour, recordText, ScriptedMember, ScriptedRun, testCharter } from './scripted.test-support.ts';
import { copyState } from './state.ts';

function start(count: number, behaviours: Record<number, Behaviour> = {}, charter = testCharter()): ScriptedRun {
  const members = Array.from({ length: count }, (_, i) => new ScriptedMember(i + 1, behaviours[i]));
  const run = new ScriptedRun(charter, members);
  for (const member of members) run.join(member);
  return run;
}

const earned = (run: ScriptedRun, member: ScriptedMember) =>
  balanceOf(run.state.ledger, run.state.members[member.id]!.account).earned;

test('five honest members finish rounds, are audited and paid at the charter’s rate', () => {
  const run = start(5);
  assert.ok(run.run(() => run.state.finalized === 6 && Object.keys(run.state.audits).length === 0));
  for (const settlement of run.settlements())
    assert.ok(['matched', 'not-drawn'].includes(settlement.outcome), settlement.outcome);
  const rounds = run.settlements().filter((s) => s.device === run.members[0]!.id).length;
  for (const member of run.members) assert.equal(earned(run, member), rounds * run.segments * 10);
  assert.ok(run.settlements().filter((s) => s.outcome === 'not-drawn').length > 0, 'clean audits make audits rarer');
});

for (const [count, silent, finishes] of [
  [3, 0, true],
  [3, 1, true],
  [3, 2, false],
  [4, 1, true],
  [4, 2, false],
  [5, 1, true],
  [5, 2, false],
  [2, 0, true],
  [2, 1, false],
] as const) {
  test(`quorum table: ${count} members, ${silent} silent for ever: ${finishes ? 'progress' : 'waits'}`, () => {
    const behaviours = Object.fromEntries(
      Array.from({ length: silent }, (_, i) => [count - 1 - i, () => 'silent' as const]),
    );
    const run = start(count, behaviours);
    assert.equal(
      run.run(() => run.state.finalized === 3, 600),
      finishes,
    );
    for (const settlement of run.settlements()) assert.notEqual(settlement.outcome, 'mismatch');
  });
}

for (const duty of ['train', 'reveal', 'attest', 'finalize', 'open', 'close', 'audit', 'judge'] as const) {
  test(`I3, I5: one member silent at ${duty} stops nobody and is never punished`, () => {
    const run = start(4, { 3: (_, asked) => (asked.kind === duty ? 'silent' : undefined) });
    assert.ok(run.run(() => run.state.finalized === 5));
    assert.equal(
      run.events.some((event) => event.kind === 'fault'),
      false,
    );
    for (const settlement of run.settlements()) assert.notEqual(settlement.outcome, 'mismatch');
    for (const member of run.members.slice(0, 3)) assert.ok(earned(run, member) > 0);
  });
}

for (const count of [3, 4, 5, 7])
  test(`one silent witness of ${count} leaves nobody’s update out: others are drawn`, () => {
    const run = start(count, { [count - 1]: (_, asked) => (asked.kind === 'attest' ? 'silent' : undefined) });
    assert.ok(run.run(() => run.state.finalized === 4));
    for (const { outcome } of run.settlements()) assert.notEqual(outcome, 'excluded');
  });

test('two trainers that reveal the same update stop nobody', () => {
  const same: Behaviour = (member, duty, run) => {
    if (duty.kind !== 'train') return undefined;
    run.commit(member, duty, { update: hashOf('the same') });
    return 'done';
  };
  const run = start(5, { 3: same, 4: same });
  assert.ok(run.run(() => run.state.finalized === 4));
  for (const member of run.members.slice(0, 3)) assert.ok(earned(run, member) > 0);
  for (const event of run.events) assert.notEqual(event.kind, 'void');
});

test('a witness that leaves is replaced at once, and the round is not void', () => {
  const run = start(4);
  run.run(() => run.state.finalized === 1 && run.state.round.phase === 'witness');
  assert.equal(run.say(run.members[3]!, 'leave', { abstains: true }), null);
  assert.equal(run.say(run.members[2]!, 'leave', { abstains: true }), null);
  run.members[2]!.behaviour = run.members[3]!.behaviour = () => 'silent';
  assert.ok(run.run(() => run.state.finalized === 2));
  assert.deepEqual(
    run.events.filter((event) => event.kind === 'void'),
    [],
  );
});

test('a free rider earns nothing, round after round, and every refusal names two auditors', () => {
  const freeRider: Behaviour = (member, duty, run) => {
    if (duty.kind !== 'train') return undefined;
    const states = Array.from({ length: run.segments }, () => ({
      params: duty.base,
      moments: duty.seat.carryIn.moments,
    }));
    run.commit(member, duty, { states });
    return 'done';
  };
  const run = start(4, { 3: freeRider });
  assert.ok(run.run(() => run.state.finalized === 6));
  const fates = run.settlements().filter((s) => s.device === run.members[3]!.id);
  assert.ok(fates.length >= 3);
  for (const fate of fates) {
    assert.ok(fate.outcome === 'mismatch' || fate.outcome === 'tainted', fate.outcome);
    if (fate.outcome === 'mismatch') assert.equal(fate.evidence.auditors!.length, 2);
  }
  assert.equal(earned(run, run.members[3]!), 0);
  assert.ok(earned(run, run.members[0]!) > 0);
});

test('honest steps with a forged encoding are refused as an encoding', () => {
  const run = start(4, {
    3: (member, duty, run) => {
      if (duty.kind !== 'train') return undefined;
      run.commit(member, duty, { update: hashOf('poison', duty.round) });
      return 'done';
    },
  });
  assert.ok(run.run(() => run.settlements().some((s) => s.outcome === 'mismatch')));
  const fate = run.settlements().find((s) => s.outcome === 'mismatch')!;
  assert.equal(fate.evidence.part, 'encode');
  assert.equal(fate.device, run.members[3]!.id);
});

test('one false accuser among four refuses nobody', () => {
  const run = start(4, {
    3: (member, duty, run) => {
      if (duty.kind !== 'judge') return undefined;
      const lie = { ...run.verdictOf(duty.audit), outcome: 'mismatch' as const, part: 'encode' as const };
      run.say(member, 'verdict', lie, { round: duty.audit.round, base: duty.audit.base });
      return 'done';
    },
  });
  const accuses = () => run.events.some((event) => event.kind === 'verdict' && event.verdict.outcome === 'mismatch');
  assert.ok(
    run.run(() => run.state.finalized >= 8 && accuses(), 10_000),
    'it did accuse',
  );
  for (const settlement of run.settlements()) assert.notEqual(settlement.outcome, 'mismatch');
});

test('arithmetic is not the auditor’s to decide: a match with unequal bits is refused', () => {
  const run = start(4, {
    3: (member, duty, run) => {
      if (duty.kind !== 'train') return undefined;
      run.commit(member, duty, {
        states: Array.from({ length: run.segments }, () => ({ params: duty.base, moments: duty.base })),
      });
      return 'done';
    },
  });
  for (const accomplice of run.members.slice(0, 3))
    accomplice.behaviour = (member, duty, run) => {
      if (duty.kind !== 'judge') return undefined;
      if (duty.audit.trainer !== run.members[3]!.id) return undefined;
      const refused = run.say(
        member,
        'verdict',
        { ...run.verdictOf(duty.audit), outcome: 'match' },
        { round: duty.audit.round, base: duty.audit.base },
      );
      assert.equal(refused, 'a match with unequal bits');
      return 'silent';
    };
  run.run(() => run.state.finalized === 3);
  assert.ok(run.events.some((event) => event.kind === 'rejected' && event.reason === 'a match with unequal bits'));
});

test('I7, I9: a forged or foreign field makes a record inert', () => {
  const run = start(3);
  run.run(() => run.state.round.phase === 'train');
  const [member] = run.members;
  const before = copyState(run.state);
  const said = { tip: run.state.run, engine: 'x', reset: true };
  const place = { round: 1, base: run.state.base };
  const forged = [
    run.sign(member!, 'ready', said, { ...place, round: 7 }),
    run.sign(member!, 'ready', said, { ...place, base: run.state.run }),
    run.sign(new ScriptedMember(77), 'ready', said),
    run.sign(member!, 'tick', {}),
    run.sign(run.members[1]!, 'tick', {}),
    run.records[0]!,
  ];
  // The sequencer's own tick is good; everybody else's is not.
  for (const record of forged.filter((_, i) => i !== 3)) assert.notEqual(run.append(record), null);
  const { head: _a, ...rest } = run.state;
  const { head: _b, ...former } = before;
  assert.deepEqual(rest, former);
});

test('two commits of one device are a proof: it is banned and loses what is locked', () => {
  const run = start(4);
  run.run(() => run.state.finalized === 2 && run.state.round.phase === 'train');
  const cheat = run.members[3]!;
  const duty = {
    kind: 'train' as const,
    round: run.state.round.number,
    base: run.state.base,
    previous: run.state.previous,
    seed: run.state.round.seed,
    seat: run.state.round.seats[cheat.id]!,
  };
  run.commit(cheat, duty);
  const first = run.records.at(-1)!;
  const again = run.sign(cheat, 'commit', { ...(first.body as never as object), traceRoot: run.state.run } as never);
  const locked = balanceOf(run.state.ledger, run.state.members[cheat.id]!.account).locked;
  assert.ok(locked > 0);
  assert.equal(
    run.say(run.members[0]!, 'fault', { first: recordText(first), second: recordText(first) }),
    'the two records prove nothing',
  );
  assert.equal(run.say(run.members[0]!, 'fault', { first: recordText(first), second: recordText(again) }), null);
  assert.equal(balanceOf(run.state.ledger, run.state.members[cheat.id]!.account).forfeited, locked);
  assert.ok(run.run(() => run.state.finalized === 4));
  assert.equal(run.state.round.seats[cheat.id], undefined);
});

test('same log, same state: a copy that replays the entries is equal byte for byte, at every entry', () => {
  const run = start(3);
  run.run(() => run.state.finalized === 2);
  const again = start(3);
  again.run(() => again.state.finalized === 2);
  assert.deepEqual(again.state, run.state);
});

for (const count of [2, 3]) {
  test(`one false accuser among ${count}: a dispute pays nobody, refuses nobody, and costs no standing`, () => {
    const run = start(count, {
      [count - 1]: (member, duty, run) => {
        if (duty.kind !== 'judge') return undefined;
        const lie = { ...run.verdictOf(duty.audit), outcome: 'mismatch' as const, part: 'encode' as const };
        run.say(member, 'verdict', lie, { round: duty.audit.round, base: duty.audit.base });
        return 'done';
      },
    });
    assert.ok(run.run(() => run.state.finalized === 8));
    const outcomes = run.settlements().map((settlement) => settlement.outcome);
    assert.ok(outcomes.includes('disputed'));
    assert.ok(!outcomes.includes('mismatch') && !outcomes.includes('tainted'));
    const { carry } = run.state.members[run.members[0]!.id]!;
    assert.ok(carry.since === 1 && carry.round >= 7, 'the chain of carried states goes on');
  });
}

test('newcomers in any number, all silent, void no round and become no witnesses', () => {
  const run = start(3);
  assert.ok(run.run(() => run.state.finalized === 1));
  const newcomers = Array.from({ length: 8 }, (_, i) => new ScriptedMember(20 + i, () => 'silent'));
  run.members.push(...newcomers);
  for (const member of newcomers) run.join(member);
  assert.ok(run.run(() => run.state.finalized === 5));
  assert.equal(run.events.filter((event) => event.kind === 'void').length, 0);
  const drawn = run.events.flatMap((event) => (event.kind === 'assigned' ? event.witnesses : []));
  assert.ok(newcomers.every((member) => !drawn.includes(member.id)));
});

test('where the seniors are away the run waits for them; strangers do not take over', () => {
  const run = start(3);
  assert.ok(run.run(() => run.state.finalized === 2));
  for (const member of run.members) member.behaviour = () => 'silent';
  const strangers = [new ScriptedMember(30), new ScriptedMember(31)];
  run.members.push(...strangers);
  for (const member of strangers) run.join(member);
  run.run(() => run.state.finalized === 3, 300);
  assert.equal(run.state.finalized, 2);
});

test('on the exact engine a refusal costs what is locked', () => {
  let cheats = false;
  const idle: Behaviour = (member, duty, run) => {
    if (duty.kind !== 'train' || !cheats) return undefined;
    run.commit(member, duty, {
      states: Array.from({ length: run.segments }, () => ({ params: duty.base, moments: duty.base })),
    });
    return 'done';
  };
  const run = start(4, { 3: idle }, testCharter({ engine: { kind: 'exact', tolerancePpm: 0 } }));
  const cheat = run.members[3]!;
  assert.ok(run.run(() => earned(run, cheat) >= 40));
  cheats = true;
  assert.ok(run.run(() => run.events.some((event) => event.kind === 'forfeited')));
  const balance = balanceOf(run.state.ledger, run.state.members[cheat.id]!.account);
  assert.ok(balance.forfeited >= 40);
  assert.equal(balance.unlocked, 0);
});

test('chatter is refused: ready again, leaving twice', () => {
  const run = start(3);
  const [member] = run.members;
  assert.equal(run.ready(member!), 'this device is ready already');
  assert.equal(run.say(member!, 'leave', { abstains: true }), null);
  assert.equal(run.say(member!, 'leave', { abstains: true }), 'this device takes no part');
  const answers = Array.from({ length: 5 }, () => run.ready(member!, true));
  assert.equal(answers.at(-1), 'said too often in this round');
});

test('two of seven that vanish hold up one round, and not for the charter’s half hour', () => {
  let gone = false;
  const vanish: Behaviour = () => (gone ? 'silent' : undefined);
  const charter = testCharter();
  const run = start(7, { 5: vanish, 6: vanish }, { ...charter, timing: { ...charter.timing, trainMs: 1_800_000 } });
  assert.ok(run.run(() => run.state.finalized === 2 && run.state.round.phase === 'train'));
  gone = true;
  const vanishedAtMs = run.nowMs;
  assert.ok(run.run(() => run.state.finalized === 4));
  assert.ok(run.nowMs - vanishedAtMs < 600_000, `${run.nowMs - vanishedAtMs} ms`);
});
