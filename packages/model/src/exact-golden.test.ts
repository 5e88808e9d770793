/** The arbiter's bits: five training steps on the `exact` engine must give the same parameters everywhere, for ever. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Hash, hashOf } from '@folkmoot/core';
import type { Bindings, DeviceBuffer, Engine, EngineKind } from '@folkmoot/tensor';
import { createEngine } from '@folkmoot/tensor/node';
import type { ModelConfig } from './config.ts';
import { initialParameters } from './initial.ts';
import { type ParameterLayout, parameterLayout } from './layout.ts';
import { adamwProgram, CHUNK, decayOffset, decayTable, normProgram, paddedElements } from './optimizer.ts';
import { ADAMW, type AdamwRules } from './optimizer-rules.ts';
import { gradientName, trainProgram } from './programs.ts';
import { learningRateAt } from './schedule.ts';
import { clipScaleOf, INITIAL_POWERS, nextPowers, type StepScalars, stepScalars } from './step-scalars.ts';

/**
 * Changing this is a decision: every older claim that `exact` would judge has been made with the old bits. Write down
 * in `docs/decisions/` what changed them (an operator, the optimizer, the WebAssembly file).
 */
const GOLDEN: Hash = '1005cd97eda32ef1181ec3e39f8fd43153ea76d463d0ce485c2207882f949caa';

const CONFIG: ModelConfig = {
  vocab: 300,
  hidden: 48,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  feedForward: 80,
  context: 24,
  ropeTheta: 10_000,
  normEpsilon: '0.00001',
  tied: true,
};
const ROWS = 3;
const RULES: AdamwRules = { ...ADAMW, learningRate: '0.003', warmupSteps: 3, joinerWarmupSteps: 1 };

interface Trained {
  /** Of parameters and moments, padding included. */
  readonly digest: Hash;
  /** Before each step. */
  readonly losses: readonly number[];
}

for (const threads of [1, 2])
  test(`exact: five steps give the frozen parameters with ${threads} thread(s)`, async () => {
    const { digest, losses } = await trained('exact', threads);
    assert.ok(losses.at(-1)! < losses[0]! - 0.1, `the loss falls: ${losses}`);
    assert.equal(digest, GOLDEN);
  });

test('native follows exact closely, with the same bits for one and two threads', async () => {
  const exact = await trained('exact', 1);
  const native = await trained('native', 1);
  native.losses.forEach((loss, step) => {
    assert.ok(Math.abs(loss - exact.losses[step]!) < 1e-4, `step ${step}: ${loss} and ${exact.losses[step]}`);
  });
  assert.equal((await trained('native', 2)).digest, native.digest);
});

const results = new Map<string, Promise<Trained>>();

/** Starting an engine costs more than these steps, so each result is made once. */
function trained(kind: EngineKind, threads: number): Promise<Trained> {
  const train = async () => {
    const engine = await createEngine(kind, { threads });
    return trainFiveSteps(engine).finally(() => engine.close());
  };
  const key = `${kind} ${threads}`;
  if (!results.has(key)) results.set(key, train());
  return results.get(key)!;
}

async function trainFiveSteps(engine: Engine): Promise<Trained> {
  const layout = parameterLayout(CONFIG);
  const size = paddedElements(layout.elements);
  const state = new Map<string, DeviceBuffer>();
  for (const name of ['p', 'm', 'v', 'g', 'newP', 'newM', 'newV'])
    state.set(name, await engine.allocate('float32', size));
  await state.get('p')!.write(initialParameters(CONFIG, 'golden'));
  const train = await engine.load(trainProgram(CONFIG, ROWS));
  const norm = await engine.load(normProgram());
  const adamw = await engine.load(adamwProgram(RULES));

  const losses: number[] = [];
  let powers = INITIAL_POWERS;
  for (let step = 0; step < 5; step++) {
    const { loss } = await train.run({ ...batch(step), ...parameterViews(layout, state.get('p')!, state.get('g')!) });
    losses.push(loss![0]!);
    let sumSquares = 0;
    for (let offset = 0; offset < size; offset += CHUNK)
      sumSquares += (await norm.run({ g: { buffer: state.get('g')!, offset } })).sumSquares![0]!;
    powers = nextPowers(RULES, powers);
    const learningRate = learningRateAt(RULES, step, step);
    const scalars = stepScalars(RULES, { powers, learningRate, clipScale: clipScaleOf(RULES, sumSquares) });
    await adamw.runEach(optimizerRuns(layout, state, scalars));
    // The new state is the next step's old one: outputs never overwrite inputs.
    for (const [old, fresh] of [
      ['p', 'newP'],
      ['m', 'newM'],
      ['v', 'newV'],
    ] as const) {
      const before = state.get(old)!;
      state.set(old, state.get(fresh)!).set(fresh, before);
    }
  }
  const digests = await Promise.all(['p', 'm', 'v'].map((name) => state.get(name)!.digest()));
  return { digest: hashOf('golden', ...digests), losses };
}

/** Three rows of a pattern that five steps can begin to learn. */
function batch(step: number): { tokens: Int32Array; targets: Int32Array } {
  const text = Array.from({ length: ROWS * CONFIG.context + 1 }, (_, i) => (i * i + step) % 17);
  return { tokens: Int32Array.from(text.slice(0, -1)), targets: Int32Array.from(text.slice(1)) };
}

function parameterViews({ tensors }: ParameterLayout, parameters: DeviceBuffer, gradient: DeviceBuffer): Bindings {
  return Object.fromEntries(
    tensors.flatMap(({ name, offset }) => [
      [name, { buffer: parameters, offset }],
      [gradientName(name), { buffer: gradient, offset }],
    ]),
  );
}

function optimizerRuns(layout: ParameterLayout, state: Map<string, DeviceBuffer>, scalars: StepScalars): Bindings[] {
  const { keep, ...rest } = scalars;
  const table = decayTable(keep);
  const scalarData = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, Float32Array.of(value)]));
  const runs: Bindings[] = [];
  for (let offset = 0; offset < paddedElements(layout.elements); offset += CHUNK) {
    const border = decayOffset(offset, layout.matrixElements);
    const views = [...state].map(([name, buffer]) => [name, { buffer, offset }]);
    runs.push({ ...Object.fromEntries(views), ...scalarData, keep: table.slice(border, border + CHUNK) });
  }
  return runs;
}
