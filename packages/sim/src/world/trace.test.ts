/** The same seed gives the same trace: twice in one process, and on every machine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planOf, runPlan } from './seeds.ts';
import { runWorld } from './world.ts';

/** Whatever changes a byte of the protocol, or a draw of the simulator, changes these: then take the new ones. */
const FROZEN = {
  '1': '84f697b6d2afcbab72261acf250bddea52daa5a32d0ba5f7e1d5ad531e58873e',
  '9': '4b5e4aaf016fa2b31d94c3f39c04db312633d642e9f04b7f472840a2f3eeb530',
  '12': '1bbfb6cc86e6e2478bdb9eed18c9b136740572abc44498bbb904478cbf47eb69',
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
