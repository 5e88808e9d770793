/** The same seed gives the same trace: twice in one process, and on every machine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planOf, runPlan } from './seeds.ts';
import { runWorld } from './world.ts';

/** Whatever changes a byte of the protocol, or a draw of the simulator, changes these: then take the new ones. */
const FROZEN = {
  '1': 'a6f41efc893dced4d7833edf0eb8b18dc51999fba6941c485b8c0f749895af45',
  '9': '72130acd11fb115202c06828d0c8037370f4b14306006b42f5ba768df4ba5b58',
  '12': 'a0392b22894533457740fdd9a2bc6ccdb3dc622b5d8c2196a0cb29abbcb73354',
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
