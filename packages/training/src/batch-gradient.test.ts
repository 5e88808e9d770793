/** Micro-batches: the mean of their gradients, to the bit a slow sum, near the gradient of the whole batch. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '@folkmoot/core';
import type { RowBatch } from '@folkmoot/data';
import { CHUNK, meanFactor, momentSizes, paddedElements, trainProgram } from '@folkmoot/model';
import type { Engine } from '@folkmoot/tensor';
import { createEngine } from '@folkmoot/tensor/node';
import { zeroMoments } from './artifact.ts';
import { BatchGradient } from './batch-gradient.ts';
import { LocalRound } from './local-round.ts';
import { batches, initial, LAYOUT, MODEL, OPTIMIZER, ROWS, TRAIN } from './model.test-support.ts';

const [BATCH] = batches('micro', 1) as [RowBatch];
const TRAIN_ONE = trainProgram(MODEL, 1);

/** Gradient and loss of `batch` in `count` micro-batches. */
async function gradientOf(engine: Engine, batch: RowBatch, count: number, train = trainProgram(MODEL, ROWS / count)) {
  const size = paddedElements(LAYOUT.elements);
  const [params, gradient] = [await engine.allocate('float32', size), await engine.allocate('float32', size)];
  await params.write(initial());
  const batched = await BatchGradient.create({ engine, train, layout: LAYOUT, microBatches: count }, gradient);
  const loss = await batched.run(params, batch);
  await batched.free();
  return { loss, gradient: (await gradient.read(0, LAYOUT.elements)) as Float32Array };
}

const part = ({ tokens, targets }: RowBatch, from: number, to: number): RowBatch => ({
  tokens: tokens.slice(from * MODEL.context, to * MODEL.context),
  targets: targets.slice(from * MODEL.context, to * MODEL.context),
});

/** Rows one by one, added in JavaScript. */
async function slowMean(engine: Engine, rows: number): Promise<Float32Array> {
  let sum: Float32Array = new Float32Array();
  for (let row = 0; row < rows; row++) {
    const { gradient } = await gradientOf(engine, part(BATCH, row, row + 1), 1, TRAIN_ONE);
    const before = sum;
    sum = row === 0 ? gradient : gradient.map((value, i) => Math.fround(before[i]! + value));
  }
  return sum.map((value) => value * Math.fround(1 / rows));
}

for (const kind of ['native', 'exact'] as const)
  test(`${kind}: micro-batches give the mean, to the bit the slow one`, async () => {
    const engine = await createEngine(kind, { threads: 1 });
    const whole = await gradientOf(engine, BATCH, 1);
    for (const rows of [2, 3, 4]) {
      const { gradient } = await gradientOf(engine, part(BATCH, 0, rows), rows, TRAIN_ONE);
      assert.equal(sha256(bytes(gradient)), sha256(bytes(await slowMean(engine, rows))), `${rows} rows`);
    }
    const parts = await gradientOf(engine, BATCH, ROWS);
    assert.ok(Math.abs(parts.loss - whole.loss) < 1e-5, `${parts.loss} is ${whole.loss}`);
    const distance = relative(parts.gradient, whole.gradient);
    assert.ok(distance < 1e-5, `the mean is ${distance} away from the gradient of all rows`);
    await engine.close();
  });

test('an engine that cannot add in place gives the same bits, for even and odd counts', async () => {
  const engine = await createEngine('native', { threads: 1 });
  const elsewhere: Engine = {
    kind: engine.kind,
    name: engine.name,
    threads: 1,
    memory: 'host',
    load: async (program) => {
      const { run, runEach, free, ...loaded } = bound(await engine.load(program));
      return { ...loaded, run, runEach, free, inPlace: false };
    },
    allocate: (dtype, elements) => engine.allocate(dtype, elements),
    close: async () => {},
  };
  for (const rows of [2, 3, 4]) {
    const some = part(BATCH, 0, rows);
    const [there, here] = [
      await gradientOf(elsewhere, some, rows, TRAIN_ONE),
      await gradientOf(engine, some, rows, TRAIN_ONE),
    ];
    assert.equal(sha256(bytes(there.gradient)), sha256(bytes(here.gradient)), `${rows} rows`);
  }
  await engine.close();
});

test('trainer and auditor agree to the bit on a segment with micro-batches, and not with whoever leaves them out', async () => {
  const engine = await createEngine('native', { threads: 1 });
  const segment = { batches: batches('audited', 3), globalStep: 2, deviceStep: 2 };
  const run = async (train = trainProgram(MODEL, 2), microBatches = 2) => {
    const local = await LocalRound.create({ engine, train, layout: LAYOUT, optimizer: OPTIMIZER, microBatches });
    await local.start(initial(), zeroMoments(momentSizes(OPTIMIZER, LAYOUT)));
    const end = await local.runSegment(segment);
    await local.free();
    assert.ok(end.outcome === 'trained');
    return end.state;
  };
  assert.deepEqual(await run(), await run());
  assert.notDeepEqual(await run(), await run(TRAIN, 1));
  await engine.close();
});

test('only the last factor is not 1, and chunks cover the arena', () => {
  assert.deepEqual(
    [1, 2].map((index) => meanFactor(index, 3)),
    [1, Math.fround(1 / 3)],
  );
  assert.ok(LAYOUT.elements < CHUNK || LAYOUT.elements % CHUNK !== 0, 'the last chunk is not full');
});

function bound<T extends { run: unknown; runEach: unknown; free: unknown; program: unknown }>(executable: T) {
  const { program } = executable;
  const call = (name: 'run' | 'runEach' | 'free') =>
    (executable[name] as (...args: unknown[]) => never).bind(executable);
  return { program, run: call('run'), runEach: call('runEach'), free: call('free') } as unknown as T;
}

const bytes = (values: Float32Array) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

function relative(a: Float32Array, b: Float32Array): number {
  let [apart, size] = [0, 0];
  for (const [i, value] of b.entries()) {
    apart += (a[i]! - value) ** 2;
    size += value ** 2;
  }
  return Math.sqrt(apart / size);
}
