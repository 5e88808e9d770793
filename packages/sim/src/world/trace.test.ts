/** The same seed gives the same trace: twice in one process, and on every machine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planOf, runPlan } from './seeds.ts';
import { runWorld } from './world.ts';

/** Whatever changes a byte of the protocol, or a draw of the simulator, changes these: then take the new ones. */
const FROZEN = {
  '1': '9b60b61584a04e8d3c3af809aee1716158ed99cb10c11e31ccadcbd6775d266b',
  '9': '1976f7dd6730903b1d661026baf8a7106c308b7264d1f52ec6360cebf65bb899',
  '12': '02502c6ebc5a705e9b04598c036375ad11ce03fb380fdffb3bf4e0832621288b',
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
