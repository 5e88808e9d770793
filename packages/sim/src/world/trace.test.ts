/** The same seed gives the same trace: twice in one process, and on every machine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planOf, runPlan } from './seeds.ts';
import { runWorld } from './world.ts';

/** Whatever changes a byte of the protocol, or a draw of the simulator, changes these: then take the new ones. */
const FROZEN = {
  '1': '2f5ee991d4438bd0c95ada5d7d85b67e79f992b7687dd68014b1127949d80160',
  '9': '2655d385a5dc30020a96e7884543ce8ebf747d404a9e7dab0cf088e5e3e3b06d',
  '12': '3a1d7b779664e377586f9a6e8a103801bc760f4dc0e33fc5a95f548fb1e16d7e',
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
