import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { bytesOf, sha256 } from '@folkmoot/core';
import type { RowBatch } from '@folkmoot/data';
import { evaluateProgram, momentSizes, muonProgram, muonScalars } from '@folkmoot/model';
import type { Engine } from '@folkmoot/tensor';
import { createEngine } from '@folkmoot/tensor/node';
import { readMoments, readParams, writeMoments, zeroMoments } from './artifact.ts';
import { packBfloat16, unpackBfloat16 } from './bfloat16.ts';
import { Evaluator } from './evaluate.ts';
import { LocalRound, type Segment, type SegmentOutcome } from './local-round.ts';
import { batches, initial, LAYOUT, MODEL, MUON_OPTIMIZER, OPTIMIZER, TRAIN } from './model.test-support.ts';

const N = LAYOUT.elements;
const SIZES = momentSizes(OPTIMIZER, LAYOUT);
let engine: Engine;
let round: LocalRound;

before(async () => {
  engine = await createEngine('native', { threads: 1 });
  round = await LocalRound.create({ engine, train: TRAIN, layout: LAYOUT, optimizer: OPTIMIZER });
});
after(() => engine.close());

const segment = (seed: string, steps: number, first = 0): Segment => ({
  batches: batches(seed, steps),
  globalStep: first,
  deviceStep: first,
});

async function trained(work: Promise<SegmentOutcome>) {
  const outcome = await work;
  assert.ok(outcome.outcome === 'trained', JSON.stringify(outcome));
  return outcome;
}

test('training lowers the loss, and the evaluator sees it', async () => {
  await round.start(initial(), zeroMoments(SIZES));
  const { losses, params } = await trained(round.runSegment(segment('learn', 60)));
  assert.ok(losses[0] > 5.4 && losses.at(-1)! < losses[0] - 1, losses.join(' '));

  const evaluator = await Evaluator.create(engine, evaluateProgram(MODEL, 3), LAYOUT);
  const [batch] = batches('learn', 1);
  const start = await evaluator.loss(initial(), batch);
  // Four rows in runs of three: the filling does not count.
  assert.ok(Math.abs(start - losses[0]) < 1e-4, `${start} is the first loss ${losses[0]}`);
  assert.ok((await evaluator.loss(params, batch)) < start - 1);
  await evaluator.free();
});

test('a segment replayed from its opened start ends in the same state', async () => {
  await round.start(initial(), zeroMoments(SIZES));
  const first = await trained(round.runSegment(segment('one', 3)));
  const second = await trained(round.runSegment(segment('two', 3, 3)));

  const params = readParams(bytesOf(first.params), N);
  const moments = readMoments(writeMoments(first.moments), SIZES);
  assert.ok(params.ok && moments.ok);
  const auditor = await LocalRound.create({ engine, train: TRAIN, layout: LAYOUT, optimizer: OPTIMIZER });
  await auditor.start(params.value, moments.value);
  const replayed = await trained(auditor.runSegment(segment('two', 3, 3)));
  assert.deepEqual(replayed.state, second.state);
  assert.equal(sha256(writeMoments(second.moments)), second.state.moments);

  await auditor.start(params.value, moments.value);
  const other = await trained(auditor.runSegment(segment('other rows', 3, 3)));
  assert.notEqual(other.state.params, second.state.params);
  await auditor.free();
});

test('two steps of AdamW: a slow twin in double precision follows them', async () => {
  const steps = batches('twin', 2);
  const [m, v] = [0.001, 0.0001].map((value) => packBfloat16(new Float32Array(N).fill(value)));
  await round.start(initial(), { m, v });
  const result = await trained(round.runSegment({ batches: steps, globalStep: 1, deviceStep: 9 }));

  const params = Float64Array.from(initial());
  const [first, second] = [m, v].map((half) => Float64Array.from(unpackBfloat16(half)));
  for (const [step, batch] of steps.entries()) {
    const gradient = await gradientOf(Float32Array.from(params), batch);
    const norm = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
    assert.ok(norm > 0.5, 'the gradient is clipped');
    const rate = (0.01 * (step + 2)) / 4;
    const t = 10 + step;
    for (let i = 0; i < N; i++) {
      const g = (gradient[i] * 0.5) / norm;
      first[i] = 0.9 * first[i] + 0.1 * g;
      second[i] = 0.95 * second[i] + 0.05 * g * g;
      const root = Math.sqrt(second[i] / (1 - 0.95 ** t));
      const decay = i < LAYOUT.matrixElements ? 1 - rate * 0.1 : 1;
      params[i] = params[i] * decay - (rate * first[i]) / (1 - 0.9 ** t) / (root + 1e-8);
    }
  }
  const worst = result.params.reduce((most, value, i) => Math.max(most, Math.abs(value - params[i])), 0);
  assert.ok(worst < 1e-6, String(worst));
});

test('Muon on the blocks, AdamW behind them: each has its part of the arena', async () => {
  const rules = { ...MUON_OPTIMIZER, decayEmbeddings: false };
  const sizes = momentSizes(rules, LAYOUT);
  const [batch] = batches('parts', 1);
  const m = packBfloat16(Float32Array.from({ length: N }, (_, i) => ((i * 7919) % 2001) * 1e-6));
  const v = packBfloat16(Float32Array.from({ length: sizes.second }, (_, i) => ((i * 7919) % 2003) * 1e-7));
  const local = await LocalRound.create({ engine, train: TRAIN, layout: LAYOUT, optimizer: rules });
  await local.start(initial(), { m, v });
  const { params } = await trained(local.runSegment({ batches: [batch], globalStep: 1, deviceStep: 9 }));
  await local.free();

  const gradient = await gradientOf(initial(), batch);
  const clipScale = 0.5 / Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
  const learningRate = 0.005;
  const { count, elements } = LAYOUT.blocks;
  const muon = await engine.load(muonProgram(rules, LAYOUT));
  const scalars = Object.entries(muonScalars(rules, { learningRate, clipScale }));
  const expected = Float64Array.from(initial());
  for (let at = 0; at < count * elements; at += elements) {
    const part = <T extends Float32Array>(values: T) => values.slice(at, at + elements);
    const inputs = { p: part(initial()), m: part(unpackBfloat16(m)), g: part(Float32Array.from(gradient)) };
    const data = scalars.map(([name, value]) => [name, Float32Array.of(value)]);
    expected.set((await muon.run({ ...inputs, ...Object.fromEntries(data) })).newP, at);
  }
  for (let i = N - sizes.second; i < N; i++) {
    const g = gradient[i] * clipScale;
    const first = 0.9 * unpackBfloat16(m)[i] + 0.1 * g;
    const second = 0.95 * unpackBfloat16(v)[i - (N - sizes.second)] + 0.05 * g * g;
    // Neither embedding nor norms decay here.
    expected[i] -= (learningRate * first) / (1 - 0.9 ** 10) / (Math.sqrt(second / (1 - 0.95 ** 10)) + 1e-8);
  }
  const worst = params.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0);
  assert.ok(worst < 1e-6, String(worst));
});

test('what is not finite is an outcome, not an artifact; and the next round starts well', async () => {
  const cases = [
    [initial().fill(Number.NaN), 'The loss is not finite.'],
    [initial().map((value, i) => (i === 7 ? 1e30 : value)), 'The gradient is not finite.'],
  ] as const;
  for (const [broken, reason] of cases) {
    await round.start(broken, zeroMoments(SIZES));
    assert.deepEqual(await round.runSegment(segment('broken', 2)), { outcome: 'diverged', step: 0, reason });
  }

  await round.start(initial(), zeroMoments(SIZES));
  const once = await trained(round.runSegment(segment('after', 2)));
  await round.start(initial(), zeroMoments(SIZES));
  assert.deepEqual((await trained(round.runSegment(segment('after', 2)))).state, once.state);
});

test('an abort ends a segment between two steps', async () => {
  await round.start(initial(), zeroMoments(SIZES));
  await assert.rejects(round.runSegment(segment('aborted', 2), AbortSignal.abort(new Error('the tab was closed'))), {
    message: 'the tab was closed',
  });
});

test('states from strangers are checked for size and for values', () => {
  const good = new Float32Array(N);
  const bad = good.map((_, i) => (i === 3 ? Number.NaN : 0));
  assert.ok(readParams(bytesOf(good), N).ok);
  assert.ok(!readParams(bytesOf(good).subarray(1), N).ok);
  assert.ok(!readParams(bytesOf(bad), N).ok);
  const moments = zeroMoments(SIZES);
  assert.ok(readMoments(writeMoments(moments), SIZES).ok);
  const muon = momentSizes(MUON_OPTIMIZER, LAYOUT);
  assert.deepEqual(muon, { first: N, second: N - LAYOUT.blocks.count * LAYOUT.blocks.elements });
  assert.ok(readMoments(writeMoments(zeroMoments(muon)), muon).ok);
  assert.ok(!readMoments(writeMoments(moments), muon).ok, 'moments of another optimizer');
  moments.v[5] = packBfloat16(Float32Array.of(-1))[0];
  assert.deepEqual(readMoments(writeMoments(moments), SIZES), {
    ok: false,
    reason: 'Moments hold a negative mean of squares.',
  });
});

async function gradientOf(params: Float32Array, batch: RowBatch): Promise<Float64Array> {
  const train = await engine.load(TRAIN);
  const inputs = Object.fromEntries(
    LAYOUT.tensors.map(({ name, offset, elements }) => [name, params.subarray(offset, offset + elements)]),
  );
  const outputs = await train.run({ ...inputs, ...batch });
  await train.free();
  const gradient = new Float64Array(N);
  for (const { name, offset } of LAYOUT.tensors) gradient.set(outputs[`grad:${name}`], offset);
  return gradient;
}
