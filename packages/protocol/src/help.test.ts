import assert from 'node:assert/strict';
import { test } from 'node:test';
import { below, SeededRandom } from '@folkmoot/core';
import { auditPpm } from './draw.ts';
import { NO_HELP_KNOWN, raiseOf } from './help.ts';
import { duties } from './index.ts';
import { type Behaviour, ScriptedMember, ScriptedRun, testCharter } from './scripted.test-support.ts';

/** Not the last: scripted members act in turn, and the last is often late. */
const COPYCAT = 1;

/** Rounds after which standings are no longer those of newcomers. */
const SETTLING = 10;

const AUDIT = { floorPpm: 50_000, scores: true } as const;

/** What a scripted witness measures: a mean and a spread, in millionths, or what it claims instead. */
interface Cast {
  /** Of updates of somebody who trained, and of those of the members who did not, as measured on real text (docs/decisions/0040). */
  readonly idle: Readonly<Record<number, { mean: number; spread: number }>>;
  /** What member `by` says of member `of`, where it does not say what it has measured. */
  readonly says?: (by: number, of: number) => number | undefined;
}

const COPIES: Cast['idle'] = { [COPYCAT]: { mean: 0, spread: 90_000 } };

/** Parts of the later rounds in which each member's audits are raised; nobody is refused for what was measured. */
function raisedParts(seed: string, rounds: number, { idle, says }: Cast = { idle: COPIES }): number[] {
  const random = new SeededRandom(`help ${seed}`);
  const noise = (spread: number) => below(random, 2 * spread + 1) - spread;
  const members: ScriptedMember[] = [];
  const measure: Behaviour = (member, duty, run) => {
    if (duty.kind !== 'score') return undefined;
    const { trainer } = duty.subject;
    const of = members.findIndex(({ id }) => id === trainer);
    const { mean, spread } = idle[of] ?? { mean: 150_000, spread: 110_000 };
    const measured = mean + noise(spread);
    const help = says?.(members.indexOf(member), of) ?? measured;
    run.say(member, 'score', { scores: [{ trainer, help }] }, { round: duty.round, base: duty.base });
    return 'done';
  };
  for (let i = 0; i < 7; i++) members.push(new ScriptedMember(i + 1, measure));
  const run = new ScriptedRun(testCharter({ audit: AUDIT }), members, false);
  for (const member of members) run.join(member);
  const counts = members.map(() => 0);
  for (let round = 1; round <= rounds; round++) {
    assert.ok(run.run(() => run.state.finalized >= round, 20_000));
    if (round <= SETTLING) continue;
    for (const [i, { id }] of members.entries()) if (raiseOf(run.state.members[id]!.help) > 1) counts[i]!++;
  }
  for (const { outcome } of run.settlements()) assert.ok(!['mismatch', 'excluded'].includes(outcome), outcome);
  return counts.map((count) => count / (rounds - SETTLING));
}

test('whoever helps little on its own rows is audited more often, and hardly anybody else; all are paid as before', () => {
  const parts = ['a', 'b', 'c'].map((seed) => raisedParts(seed, 30));
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const ofCopycat = mean(parts.map((part) => part[COPYCAT]!));
  const ofHonest = mean(parts.flatMap((part) => part.toSpliced(COPYCAT, 1)));
  assert.ok(ofCopycat > 0.6, `a copycat in ${ofCopycat} of the rounds`);
  assert.ok(ofHonest < 0.05, `honest members in ${ofHonest} of the rounds`);
});

test('one witness that slanders everybody does not do for the honest what not helping does', () => {
  const parts = raisedParts('liar', 30, { idle: COPIES, says: (by) => (by === 0 ? -1_000_000 : undefined) });
  for (const part of parts.toSpliced(COPYCAT, 1)) assert.ok(part < 0.3, `raised in ${part} of the rounds`);
});

test('a free rider whose noise harms is found as a copycat is', () => {
  const parts = raisedParts('noise', 30, { idle: { [COPYCAT]: { mean: -20_000, spread: 60_000 } } });
  assert.ok(parts[COPYCAT]! > 0.6, `raised in ${parts[COPYCAT]} of the rounds`);
  for (const part of parts.toSpliced(COPYCAT, 1)) assert.ok(part < 0.1, `raised in ${part} of the rounds`);
});

test('two idlers that praise each other are audited as usual, which is what they gain; their slander raises hardly anybody’s', () => {
  const friends = [COPYCAT, 3];
  const idle = Object.fromEntries(friends.map((i) => [i, { mean: 0, spread: 90_000 }]));
  const says = (by: number, of: number) =>
    friends.includes(by) ? (friends.includes(of) ? 1_000_000 : -1_000_000) : undefined;
  const parts = ['a', 'b', 'c', 'd'].map((seed) => raisedParts(`friends ${seed}`, 30, { idle, says }));
  const mean = (of: (i: number) => boolean) => {
    const values = parts.flatMap((part) => part.filter((_, i) => of(i)));
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  const [ofFriends, ofHonest] = [mean((i) => friends.includes(i)), mean((i) => !friends.includes(i))];
  assert.ok(ofFriends < 0.3, `friends in ${ofFriends} of the rounds: decision 40 says that they are not found`);
  assert.ok(ofHonest < 0.1, `honest members in ${ofHonest} of the rounds`);
});

test('a raised probability is four times the usual one, and never more than one', () => {
  const little = { mean: 100, samples: 9 };
  assert.equal(auditPpm(AUDIT.floorPpm, { cleanAudits: 99, auditDue: false, help: little }), 200_000);
  assert.equal(auditPpm(AUDIT.floorPpm, { cleanAudits: 1, auditDue: false, help: little }), 1_000_000);
  assert.equal(raiseOf({ mean: 100, samples: 3 }), 1, 'not before four measurements');
});

test('where nobody helps, nothing is learned of anybody', () => {
  const members = Array.from({ length: 5 }, (_, i) => new ScriptedMember(i + 1));
  const run = new ScriptedRun(testCharter({ audit: AUDIT }), members, false);
  for (const member of members)
    member.behaviour = (who, duty, at) => {
      if (duty.kind !== 'score') return undefined;
      at.say(
        who,
        'score',
        { scores: [{ trainer: duty.subject.trainer, help: -5 }] },
        { round: duty.round, base: duty.base },
      );
      return 'done';
    };
  for (const member of members) run.join(member);
  assert.ok(run.run(() => run.state.finalized >= 6));
  for (const member of Object.values(run.state.members)) assert.deepEqual(member.help, NO_HELP_KNOWN);
});

test('only what was drawn is measured, once, by whom it was drawn for; who is silent holds nothing up', () => {
  const members = Array.from(
    { length: 5 },
    (_, i) => new ScriptedMember(i + 1, (_, duty) => (duty.kind === 'score' ? 'silent' : undefined)),
  );
  const run = new ScriptedRun(testCharter({ audit: AUDIT }), members, false);
  for (const member of members) run.join(member);
  assert.ok(run.run(() => run.state.finalized >= 1));
  const [witness, other] = members;
  const duty = duties(run.state, witness!.id).find((owed) => owed.kind === 'score')!;
  assert.ok(duty.kind === 'score' && duty.subject.trainer !== witness!.id);
  const place = { round: duty.round, base: duty.base };
  const said = { scores: [{ trainer: duty.subject.trainer, help: 1 }] };
  const foreign = duties(run.state, other!.id).find((owed) => owed.kind === 'score')!;
  assert.ok(foreign.kind === 'score');
  assert.match(run.say(witness!, 'score', { scores: [{ trainer: witness!.id, help: 1 }] }, place)!, /another update/);
  assert.match(run.say(witness!, 'score', { scores: [...said.scores, ...said.scores] }, place)!, /another update/);
  assert.match(run.say(witness!, 'score', said)!, /nothing is to be measured/);
  assert.equal(run.say(witness!, 'score', said, place), null);
  assert.match(run.say(witness!, 'score', said, place)!, /nothing is to be measured/);
  assert.ok(run.run(() => run.state.finalized >= 5));
  assert.ok(Object.keys(run.state.scorings).every((round) => Number(round) >= run.state.round.number - 2));
});

test('a run whose charter says nothing of it takes no measurement', () => {
  const members = Array.from({ length: 4 }, (_, i) => new ScriptedMember(i + 1));
  const run = new ScriptedRun(testCharter(), members, false);
  for (const member of members) run.join(member);
  assert.ok(run.run(() => run.state.finalized >= 1));
  const said = { scores: [{ trainer: members[1]!.id, help: 5 }] };
  assert.match(run.say(members[0]!, 'score', said, { round: 1, base: run.state.charter.initialBase })!, /nothing/);
});
