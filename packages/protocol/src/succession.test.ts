/** What begins a term: so many votes of the right electors, for the right device, on the right end of the log. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Certificate, certificateOf, headerId, type RecordOf, type VerifiedRecord } from '@folkmoot/records';
import { recordText, ScriptedMember, ScriptedRun, testCharter } from './scripted.test-support.ts';
import { beginTerm, objectionToSuccession, successorOf } from './succession.ts';

type Vote = RecordOf<'vote'>;
type Signed = RecordOf<'succeed'>['votes'][number];

const TERM = 2;

/** A run of five in its third round, in which a header is being signed. */
function signing(charter = testCharter()): ScriptedRun {
  const members = Array.from({ length: 5 }, (_, i) => new ScriptedMember(i + 1));
  const run = new ScriptedRun(charter, members);
  for (const member of members) run.join(member);
  assert.ok(run.run(() => run.state.finalized >= 2 && run.state.round.phase === 'finalize'));
  assert.equal(run.state.electors.length, 5);
  return run;
}

function voteOf(run: ScriptedRun, member: ScriptedMember, lock: Vote['lock'] = null, term = TERM): Signed {
  const { lastHeader, term: tail } = run.state;
  const vote = run.sign(member, 'vote', { header: lastHeader, tail, lock });
  // Signed in the term that it is for, which no state has yet.
  const body = { ...vote.body, term } as Vote;
  return resigned(run, member, body);
}

function resigned(run: ScriptedRun, member: ScriptedMember, body: Vote): Signed {
  const { header, tail, lock, term } = body;
  const before = run.state.term;
  run.state.term = term;
  const { body: again, signature } = run.sign(member, 'vote', { header, tail, lock });
  run.state.term = before;
  return { body: again as Vote, signature };
}

function succeed(run: ScriptedRun, votes: Signed[], lock: Certificate | null = null, term = TERM): RecordOf<'succeed'> {
  const device = successorOf(run.state, term)!;
  const { run: id, round, base, head } = run.state;
  const seen = { index: head.index, id: head.id };
  const common = { run: id, round: round.number, base, device, seq: 1_000_000, seen, term };
  return { kind: 'succeed', ...common, votes, lock } as RecordOf<'succeed'>;
}

const objection = (run: ScriptedRun, body: RecordOf<'succeed'>) => objectionToSuccession(run.state, body);

test('four of five electors begin a term; three do not, nor one who votes often', () => {
  const run = signing();
  const votes = run.members.map((member) => voteOf(run, member));
  assert.equal(objection(run, succeed(run, votes.slice(0, 4))), null);
  assert.equal(objection(run, succeed(run, votes)), null);
  assert.match(objection(run, succeed(run, votes.slice(0, 3)))!, /too few/);
  const often = [...votes.slice(0, 3), voteOf(run, run.members[0]!)];
  assert.match(objection(run, succeed(run, often))!, /votes twice/);
  const stranger = voteOf(run, new ScriptedMember(9));
  assert.match(objection(run, succeed(run, [...votes.slice(0, 3), stranger]))!, /no elector/);
});

test('the term goes to whom the last header names, one further for each that is skipped; the present one is left out', () => {
  const run = signing();
  const order = [2, 3, 4, 5].map((term) => successorOf(run.state, term)!);
  assert.equal(new Set(order).size, 4);
  assert.ok(!order.includes(run.state.sequencer));
  assert.equal(successorOf(run.state, 6), order[0]);
  const votes = run.members.map((member) => voteOf(run, member));
  for (const device of [order[1]!, run.state.sequencer])
    assert.match(objection(run, { ...succeed(run, votes), device })!, /another would hold/);
  assert.match(objection(run, succeed(run, votes, null, 1))!, /not a later one/);
});

test('votes are for this term, about this round, signed by whom they name, and one of them for this end of the log', () => {
  const run = signing();
  const votes = run.members.map((member) => voteOf(run, member));
  const instead = (vote: Signed) => objection(run, succeed(run, [vote, ...votes.slice(1)]));
  assert.match(instead(voteOf(run, run.members[0]!, null, 3))!, /something else/);
  assert.match(instead({ ...votes[0]!, signature: votes[1]!.signature })!, /signature/);
  assert.match(
    instead(resigned(run, run.members[0]!, { ...votes[0]!.body, header: 'a'.repeat(64) }))!,
    /another last header/,
  );
  run.tick();
  assert.match(objection(run, succeed(run, votes))!, /end of this log/);
});

test('a header that a voter has sealed binds the term: its signatures must be shown, and nothing else can be signed', () => {
  const run = signing();
  const { electors } = run.state;
  assert.ok(run.run(() => run.state.round.phase === 'seal'));
  const signed = run.records.filter(
    (record): record is VerifiedRecord<RecordOf<'header'>> =>
      record.body.kind === 'header' &&
      record.body.round === run.state.round.number &&
      electors.includes(record.body.device),
  );
  const { header } = signed[0]!.body;
  const certificate = certificateOf(header, signed);
  const lock = { term: 1, header: headerId(header) };
  const votes = run.members.map((member, i) => voteOf(run, member, i === 4 ? lock : null));
  assert.equal(objection(run, succeed(run, votes, certificate)), null);
  assert.match(objection(run, succeed(run, votes))!, /signatures on the locked header are missing/);
  assert.match(objection(run, succeed(run, votes.slice(0, 4), certificate))!, /no vote names this lock/);
  const few = { ...certificate, signers: certificate.signers.slice(1, 3) };
  assert.match(objection(run, succeed(run, votes, few))!, /too few/);
  const foreign = { ...certificate, term: 3 };
  assert.match(objection(run, succeed(run, votes, foreign))!, /another header/);
  const body = succeed(run, votes, certificate);
  beginTerm(run.state, { id: 'b'.repeat(64), body, signature: '' } as never, {
    nowMs: run.nowMs,
    index: 0,
    events: [],
  });
  assert.deepEqual(
    [run.state.term, run.state.sequencer, run.state.round.phase, run.state.round.bound],
    [TERM, body.device, 'finalize', lock.header],
  );
});

test('a sequencer that is proven to have contradicted itself hands over at once, to whose turn it is', () => {
  const run = signing();
  const liar = run.members.find(({ id }) => id === run.state.sequencer)!;
  const other = run.members.find((member) => member !== liar)!;
  const place = { round: run.state.round.number, base: run.state.base };
  const saying = (digit: string) =>
    recordText(run.sign(liar, 'result', { trainer: other.id, segment: 1, result: digit.repeat(64) }, place));
  const next = successorOf(run.state, 2);
  assert.equal(run.say(other, 'fault', { first: saying('a'), second: saying('b') }), null);
  assert.deepEqual([run.state.term, run.state.sequencer], [2, next]);
  assert.ok(!run.state.electors.includes(liar.id), 'and no quorum waits for it');
});

test('the role goes on to one that is here, and stays where it is while there is none', () => {
  const charter = testCharter({ succession: { silenceMs: 20_000, everyRounds: 3 } });
  for (const others of [1, 0]) {
    const run = signing(charter);
    const { sequencer, electors, members, finalized } = run.state;
    const here = electors.filter((device) => device !== sequencer).slice(0, others);
    for (const device of electors) members[device]!.ready = device === sequencer || here.includes(device);
    for (const member of run.members) member.behaviour = (_, { kind }) => (kind === 'ready' ? 'silent' : undefined);
    assert.ok(run.run(() => run.state.finalized > finalized));
    assert.deepEqual([run.state.term, run.state.sequencer], [1 + others, here[0] ?? sequencer]);
  }
});
