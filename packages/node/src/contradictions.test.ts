import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Cells, type Clock, hashOf, type Journal } from '@folkmoot/core';
import { proveEquivocation } from '@folkmoot/protocol';
import { ScriptedMember, ScriptedRun, testCharter } from '@folkmoot/protocol/test-support';
import { type RecordBody, type RecordKind, type RecordOf, signRecord } from '@folkmoot/records';
import { Contradictions } from './contradictions.ts';
import { Log } from './log.ts';

const other = hashOf('otherwise');
const clock: Clock & { nowMs: number } = { nowMs: 0, now: () => clock.nowMs, sleep: () => new Promise(() => {}) };

/** A log at the moment when the run has just heard `member` say `kind`, and what it said. */
async function after<K extends RecordKind>(kind: K, member = 2) {
  const run = new ScriptedRun(
    testCharter(),
    [1, 2, 3, 4].map((index) => new ScriptedMember(index)),
  );
  for (const each of run.members) run.join(each);
  const speaker = run.members[member - 1]!;
  const isIt = ({ body }: { body: RecordBody }) => body.kind === kind && body.device === speaker.id;
  assert.ok(run.run(() => run.records.some(isIt)));
  const journal: Journal = {
    count: 0,
    ...{ append: async () => {}, truncate: async () => {}, close: async () => {} },
    async *lines() {},
  };
  const cells: Cells = { read: async () => undefined, write: async () => {} };
  const log = await Log.open(run.state.charter, journal, cells);
  for (const entry of run.entries) await log.append(entry);
  const body = run.records.findLast(isIt)!.body as RecordOf<K>;
  const again = (change: Partial<RecordOf<K>>) =>
    signRecord({ ...body, seq: body.seq + 5, seen: { index: -1, id: run.state.run }, ...change }, speaker.key);
  return { run, log, again, speaker, contradictions: new Contradictions(log, clock) };
}

test('two commits, headers, seals or results for one place are a proof, whatever the log has refused the second for', async () => {
  const commit = await after('commit');
  const header = await after('header');
  const seal = await after('seal');
  const result = await after('result');
  const theirs = header.again({}).body.header;
  for (const [{ run, contradictions, speaker }, said] of [
    [commit, commit.again({ traceRoot: other })],
    [header, header.again({ header: { ...theirs, nextBase: other } })],
    [seal, seal.again({ header: other })],
    [result, result.again({ result: other })],
  ] as const) {
    const found = contradictions.with(said);
    assert.deepEqual([found?.device, found?.what], [speaker.id, said.body.kind]);
    assert.equal(proveEquivocation(run.state.run, found!.first, found!.second)?.device, speaker.id);
    // What is filed is taken by the log.
    const judge = run.members.find(({ id }) => id !== speaker.id)!;
    assert.equal(run.say(judge, 'fault', { first: found!.first, second: found!.second }), null);
  }
});

test('whoever says the same again, in another term or about another round contradicts nothing', async () => {
  const { contradictions, again, run } = await after('commit');
  assert.equal(contradictions.with(again({})), undefined, 'with another number and another head');
  for (const change of [
    { term: 2, traceRoot: other },
    { round: 2, traceRoot: other },
    { run: other, traceRoot: other },
  ])
    assert.equal(contradictions.with(again(change)), undefined);
  const stranger = new ScriptedMember(9);
  const said = signRecord({ ...again({ traceRoot: other }).body, device: stranger.id }, stranger.key);
  assert.equal(contradictions.with(said), undefined);
  assert.equal(run.state.term, 1);
});

test('a result counts only against what was said to the present question', async () => {
  const { contradictions, again, log } = await after('result');
  const said = again({ result: other });
  for (const audit of Object.values(log.state.audits)) for (const asked of audit.asked) asked.result = null;
  assert.equal(contradictions.with(said), undefined);
});

test('looking is bounded: refused records come from whoever likes to be refused', async () => {
  const { contradictions, again } = await after('commit');
  let looked = 0;
  for (let i = 0; i < 100; i++) if (contradictions.with(again({ traceRoot: other }))) looked++;
  assert.equal(looked, 8);
  clock.nowMs += 1000;
  assert.ok(contradictions.with(again({ traceRoot: other })));
});
