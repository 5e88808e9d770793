/**
 * What a checker sees of one wrong operator, all operators of the programs in turn: the contract of docs/determinism.md.
 *
 * Operator by operator nothing stays hidden. In a state everything shows that changed the work by more than rounding does,
 * and what cannot be seen is named.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { adamwProgram, CHUNK, momentSizes, normProgram } from '@folkmoot/model';
import type { Engine, Program, TensorData } from '@folkmoot/tensor';
import { createEngine } from '@folkmoot/tensor/node';
import { OperatorPair } from '@folkmoot/tensor/node/test-support';
import { LocalRound, unpackBfloat16, zeroMoments } from '@folkmoot/training';
import { batches, initial, LAYOUT, OPTIMIZER, TRAIN } from '@folkmoot/training/test-support';
import { CALIBRATION } from './calibration.ts';
import { corruptEach } from './corruption.test-support.ts';
import { relativeDistance, type State } from './distance.ts';
import { replaySegment } from './replay-segment.ts';

const { operatorPpb, stepMomentsPpb } = CALIBRATION.tolerance;
const BILLION = 1e9;
/** The size of a corruption, relative. */
const WRONG = 1e-3;
const S = 5;
const BATCHES = batches('corrupted', 13 * S);

let trainer: Engine;
let auditor: Engine;
/** At the first step, and later. */
let starts: { readonly step: number; readonly state: State }[];
before(async () => {
  trainer = await createEngine('native', { threads: 1 });
  auditor = await createEngine('exact', { threads: 1 });
  const first: State = { params: initial(), moments: zeroMoments(momentSizes(OPTIMIZER, LAYOUT)) };
  starts = [
    { step: 0, state: first },
    { step: 12 * S, state: await trained(first, 12) },
  ];
});
after(() => Promise.all([trainer.close(), auditor.close()]));

test('the result of every operator: honest is inside of the tolerance, a part in a thousand far outside', async () => {
  for (const { step, state } of starts)
    for (const [program, inputs] of programsAt(state, step)) {
      const pair = await OperatorPair.create(program);
      const values = await pair.values(inputs);
      for (const site of pair.sites) {
        const claimed = values.get(site.name)!.data as Float32Array;
        const mine = await pair.recompute(site, values);
        const where = `${site.node.type} ${site.name} at step ${step}`;
        const honest = BILLION * relativeDistance(claimed, mine);
        assert.ok(honest <= operatorPpb, `${where}: ${honest} ppb`);
        if (!claimed.some((value) => value !== 0)) continue; // A thousandth of nothing is nothing.
        for (const wrong of corruptions(claimed)) {
          const distance = BILLION * relativeDistance(wrong, mine);
          assert.ok(distance > 100 * operatorPpb, `${where}: ${distance} ppb although it is wrong`);
        }
      }
      await pair.close();
    }
});

test('a step’s moments show every wrong operator that changed the gradient; clipping hides a common factor', async () => {
  const { step, state } = starts[1]!;
  const scene = { trainer, auditor, train: TRAIN, layout: LAYOUT, optimizer: OPTIMIZER, start: state, step };
  const { honest, corrupted } = await corruptEach({ ...scene, batches: BATCHES.slice(step) }, 1 + WRONG);
  assert.ok(BILLION * honest.stepMoments <= stepMomentsPpb, `honest: ${honest.stepMoments}`);
  const hidden = corrupted.filter((one) => BILLION * one.stepMoments <= stepMomentsPpb);
  const groups = Map.groupBy(hidden, ({ gradient }) => gradient);
  // What only the reported loss, or a masked score, depends on.
  assert.ok(groups.get('the same')!.length < corrupted.length / 10);
  // The gradient of the logits: everything is a thousandth larger, and clipping makes it as small as before.
  assert.ok(groups.get('rescaled')!.length <= 1);
  assert.deepEqual(
    groups.get('another')?.map(({ site }) => site.name),
    undefined,
  );
});

test('without clipping a common factor shows too', async () => {
  const { step, state } = starts[1]!;
  const optimizer = { ...OPTIMIZER, clipNorm: '1000' };
  const scene = { trainer, auditor, train: TRAIN, layout: LAYOUT, optimizer, start: state, step };
  const { corrupted } = await corruptEach({ ...scene, batches: BATCHES.slice(step) }, 1 + WRONG);
  const hidden = corrupted.filter((one) => BILLION * one.stepMoments <= stepMomentsPpb);
  assert.deepEqual(
    hidden.filter(({ gradient }) => gradient !== 'the same').map(({ site }) => site.name),
    [],
  );
});

/** All a thousandth larger; noise of a thousandth of the whole; one element that is off by as much. */
function corruptions(honest: Float32Array): Float32Array[] {
  const size = Math.sqrt(honest.reduce((sum, value) => sum + value * value, 0));
  let state = 1;
  const noise = honest.map(() => (state = Math.imul(state, 48_271) >>> 0) / 2 ** 31 - 1);
  const noiseSize = Math.sqrt(noise.reduce((sum, value) => sum + value * value, 0));
  return [
    honest.map((value) => value * (1 + WRONG)),
    honest.map((value, i) => value + (WRONG * size * noise[i]!) / noiseSize),
    honest.map((value, i) => (i === 0 ? value + WRONG * size : value)),
  ];
}

/** The programs of a step with inputs from `state`: training, the norm and AdamW over the first chunk. */
function programsAt({ params, moments }: State, step: number): [Program, Record<string, TensorData>][] {
  const { tokens, targets } = BATCHES[step]!;
  const inputs: Record<string, TensorData> = { tokens, targets };
  for (const { name, offset, elements } of LAYOUT.tensors) inputs[name] = params.slice(offset, offset + elements);
  const chunk = (arena: Float32Array) => {
    const padded = new Float32Array(CHUNK);
    padded.set(arena.subarray(0, CHUNK));
    return padded;
  };
  const g = chunk(params.map((value) => value / 10));
  const [m, v] = [moments.m, moments.v].map((half) => chunk(unpackBfloat16(half)));
  const scalars = Object.fromEntries(
    Object.entries({ gradientScale: 0.1, squareScale: 0.05, rate: 0.01, epsilon: 1e-8 }).map(([name, value]) => [
      name,
      Float32Array.of(value),
    ]),
  );
  const keep = new Float32Array(CHUNK).fill(0.999);
  return [
    [TRAIN, inputs],
    [normProgram(), { g }],
    [adamwProgram(OPTIMIZER), { p: chunk(params), m: m!, v: v!, g, keep, ...scalars }],
  ];
}

async function trained(start: State, segments: number): Promise<State> {
  const local = await LocalRound.create({ engine: trainer, train: TRAIN, layout: LAYOUT, optimizer: OPTIMIZER });
  let state = start;
  for (let first = 0; first < segments * S; first += S) {
    const segment = { batches: BATCHES.slice(first, first + S), globalStep: first, deviceStep: first };
    const replayed = await replaySegment(local, state, segment);
    assert.ok(replayed.ok);
    state = replayed.end;
  }
  await local.free();
  return state;
}
