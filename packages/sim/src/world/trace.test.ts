/** The same seed gives the same trace: twice in one process, and on every machine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planOf, runPlan } from './seeds.ts';
import { runWorld } from './world.ts';

/** Whatever changes a byte of the protocol, or a draw of the simulator, changes these: then take the new ones. */
const FROZEN = {
  '1': '65617ffcef1241ec4625c45b6dc3351380150f6108d5270b6e2fb0d35eda3e45',
  '9': 'ab4de549e77a345404df54fe6675cf9f584ac6149771021c73d4466945b9af53',
  '12': '4d1205dd229f9389514847c20154c952bec9fcf7420432edb01b983dd69307ce',
};

test('the traces of three worlds are what they were', async () => {
  const traces: Record<string, string> = {};
  for (const seed of Object.keys(FROZEN)) traces[seed] = (await runPlan(planOf(seed))).traceHash;
  assert.deepEqual(traces, FROZEN);
});

test('one plan, one trace, whether signatures are remembered or not; another seed, another trace', async () => {
  const plan = planOf('4');
  const { traceHash, violation } = await runWorld(plan);
  assert.equal(violation, undefined);
  assert.equal((await runPlan(plan)).traceHash, traceHash);
  assert.notEqual((await runPlan({ ...plan, seed: '5' })).traceHash, traceHash);
});

test('real training in simulated time: members agree on the bits, and the trace is the same again', async () => {
  const plan = { ...planOf('1', { members: 3, rounds: 1, minutes: 0.2, real: true, adversaries: {} }) };
  const first = await runPlan(plan);
  assert.equal(first.violation, undefined, first.violation?.message);
  assert.ok(first.referee.state.finalized >= 4);
  assert.equal((await runPlan(plan)).traceHash, first.traceHash);
});
