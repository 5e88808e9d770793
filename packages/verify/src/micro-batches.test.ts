/** Disputes where a step is several micro-batches: their operators follow one another, and one that is wrong in any is found. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { momentSizes, trainProgram } from '@folkmoot/model';
import { stateLeaf } from '@folkmoot/records';
import { createEngine } from '@folkmoot/tensor/node';
import { LocalRound, momentsId, paramsId, unpackBfloat16, zeroMoments } from '@folkmoot/training';
import { batches, initial, LAYOUT, MODEL, OPTIMIZER, ROWS } from '@folkmoot/training/test-support';
import type { StepState } from './distance.ts';
import { leafOf, type Result, StepOperators, type StepPlace } from './step-operators.ts';

const { signal } = new AbortController();
const MICRO_BATCHES = 2;
const [BATCH] = batches('micro', 1);
const options = {
  train: trainProgram(MODEL, ROWS / MICRO_BATCHES),
  layout: LAYOUT,
  optimizer: OPTIMIZER,
  microBatches: MICRO_BATCHES,
};
const zero = zeroMoments(momentSizes(OPTIMIZER, LAYOUT));
const START: StepState = {
  params: initial(),
  moments: { m: unpackBfloat16(zero.m), v: unpackBfloat16(zero.v) },
};
const PLACE: StepPlace = { batch: BATCH!, globalStep: 0, deviceStep: 0, isLast: true };

for (const kind of ['exact', 'native'] as const)
  test(`${kind}: the operators of two micro-batches come to what was paid for, to the bit`, async () => {
    const engine = await createEngine(kind, { threads: 1 });
    const local = await LocalRound.create({ engine, ...options });
    await local.start(START.params, zero);
    const end = await local.runSegment({ batches: [BATCH!], globalStep: 0, deviceStep: 0 });
    assert.equal(end.outcome, 'trained');
    const operators = new StepOperators({ engine, ...options });
    const leaves = await operators.run(START, PLACE, signal);
    // Nodes and a gradient for each micro-batch, and one optimizer.
    assert.equal((operators.count - 1) % MICRO_BATCHES, 0);
    if (end.outcome === 'trained')
      assert.equal(leaves.at(-1), stateLeaf([paramsId(end.params), momentsId(end.moments)]));
    await operators.free();
    await local.free();
    await engine.close();
  });

test('an operator that is wrong in either micro-batch, or in adding them up, is the first that differs, and does not follow', async () => {
  const engine = await createEngine('exact', { threads: 1 });
  const operators = new StepOperators({ engine, ...options });
  const honest = await operators.run(START, PLACE, signal);
  const each = (operators.count - 1) / MICRO_BATCHES;
  // Of each micro-batch a node in the middle and the gradient, which the second adds to the first; and the optimizer.
  for (const wrong of [each >> 1, each - 1, each + (each >> 1), 2 * each - 1, 2 * each]) {
    const results = new Map<number, Result>();
    const claimed = await operators.run(START, PLACE, signal, async (operator, result) => {
      const shown = operator === wrong ? flipped(result) : result;
      results.set(operator, shown);
      return shown;
    });
    const found = claimed.findIndex((leaf, i) => leaf !== honest[i]);
    assert.equal(found, wrong, operators.nameOf(wrong));
    const again = await operators.compute(found, START, PLACE, (need) => results.get(need)!);
    assert.notEqual(leafOf(again), claimed[found], `${operators.nameOf(wrong)}: the judge sees it`);
    const after = Math.min(wrong + 1, operators.count - 1);
    if (after === wrong) continue;
    const right = await operators.compute(after, START, PLACE, (need) => results.get(need)!);
    assert.equal(leafOf(right), claimed[after], 'what follows from it follows');
  }
  await operators.free();
  await engine.close();
});

/** One bit of the last byte turned: a sign, or a large integer. */
function flipped([first, ...rest]: Result): Result {
  const bytes = Uint8Array.from(first!);
  bytes[bytes.length - 1]! ^= 0x80;
  return [bytes, ...rest];
}
