/**
 * The paid work is the work operator by operator: the same bits, on the program in one and on its operators one by one. And
 * one corrupted operator of any kind is found in a real program, by the search that disputes play.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Hash } from '@folkmoot/core';
import { momentSizes } from '@folkmoot/model';
import { stateLeaf } from '@folkmoot/records';
import type { Engine } from '@folkmoot/tensor';
import { createEngine } from '@folkmoot/tensor/node';
import { LocalRound, momentsId, paramsId, unpackBfloat16, zeroMoments } from '@folkmoot/training';
import { batches, initial, LAYOUT, OPTIMIZER, TRAIN } from '@folkmoot/training/test-support';
import type { StepState } from './distance.ts';
import { leafOf, type Result, StepOperators, type StepPlace } from './step-operators.ts';

const BATCHES = batches('operators', 2);
const { signal } = new AbortController();
const options = { train: TRAIN, layout: LAYOUT, optimizer: OPTIMIZER, microBatches: 1 };
const zero = zeroMoments(momentSizes(OPTIMIZER, LAYOUT));
const START: StepState = {
  params: initial(),
  moments: { m: unpackBfloat16(zero.m), v: unpackBfloat16(zero.v) },
};

const engines: Engine[] = [];
before(async () => {
  for (const kind of ['exact', 'native'] as const) engines.push(await createEngine(kind, { threads: 1 }));
});
after(() => Promise.all(engines.map((engine) => engine.close())));

test('operator by operator comes out what was paid for, to the bit, on exact and on native', async () => {
  for (const engine of engines) {
    const local = await LocalRound.create({ engine, ...options });
    await local.start(START.params, zero);
    const end = await local.runSegment({ batches: BATCHES, globalStep: 0, deviceStep: 0 });
    assert.equal(end.outcome, 'trained');
    const operators = new StepOperators({ engine, ...options });
    let state = START;
    let leaves: Hash[] = [];
    for (const [step, batch] of BATCHES.entries()) {
      const isLast = step === BATCHES.length - 1;
      let made: Result = [];
      leaves = await operators.run(
        state,
        placeOf(step, isLast, batch),
        signal,
        async (_, result) => void (made = result),
      );
      if (!isLast) state = stateOf(made);
    }
    if (end.outcome === 'trained')
      assert.equal(leaves.at(-1), stateLeaf([paramsId(end.params), momentsId(end.moments)]), engine.name);
    await operators.free();
    await local.free();
  }
});

test('an operator from its claimed inputs gives its result; a thousandth more of it is seen at that operator', async () => {
  const operators = new StepOperators({ engine: engines[0]!, ...options });
  const place = placeOf(0, false, BATCHES[0]!);
  const honest = await operators.run(START, place, signal);
  const kinds = new Map(Array.from({ length: operators.count }, (_, i) => [operators.nameOf(i), i]));
  assert.ok(kinds.size > 12, [...kinds.keys()].join(' '));
  for (const [kind, wrong] of kinds) {
    const results = new Map<number, Result>();
    let changed = false;
    const claimed = await operators.run(START, place, signal, async (operator, result) => {
      const shown = operator === wrong ? corrupted(result) : result;
      changed ||= leafOf(shown) !== leafOf(result);
      results.set(operator, shown);
      return shown;
    });
    if (!changed) continue; // A thousandth of nothing is nothing.
    const found = claimed.findIndex((leaf, i) => leaf !== honest[i]);
    assert.equal(found, wrong, `${kind}: the first that differs`);
    const again = await operators.compute(found, START, place, (need) => results.get(need)!);
    assert.notEqual(leafOf(again), claimed[found], `${kind}: the judge sees it`);
    for (const other of [0, wrong - 1, wrong + 1].filter((i) => i >= 0 && i < operators.count && i !== wrong)) {
      const right = await operators.compute(other, START, place, (need) => results.get(need)!);
      assert.equal(leafOf(right), claimed[other], `${kind}: operator ${other} follows from its claimed inputs`);
    }
  }
  await operators.free();
});

function placeOf(step: number, isLast: boolean, batch: StepPlace['batch']): StepPlace {
  return { batch, globalStep: step, deviceStep: step, isLast };
}

function stateOf([params, m, v]: Result): StepState {
  const floats = (bytes: Uint8Array | undefined) => new Float32Array(Uint8Array.from(bytes!).buffer);
  return { params: floats(params), moments: { m: floats(m), v: floats(v) } };
}

/** Every float of the first part a thousandth larger; integers one more. */
function corrupted([first, ...rest]: Result): Result {
  const values = new Float32Array(Uint8Array.from(first!).buffer);
  const moved = values.map((value) => value * 1.001);
  return [new Uint8Array(moved.buffer), ...rest];
}
