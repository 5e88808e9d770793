import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { SeededRandom } from '@folkmoot/core';
import type { Engine } from '@folkmoot/tensor';
import { createEngine } from '@folkmoot/tensor/node';
import {
  adamwProgram,
  CHUNK,
  chunkFor,
  decayOffset,
  decayTable,
  decayTableProgram,
  normProgram,
  paddedElements,
} from './optimizer.ts';
import { ADAMW } from './optimizer-rules.ts';
import { clipScaleOf, INITIAL_POWERS, nextPowers, powersAfter, stepScalars } from './step-scalars.ts';

const RULES = { ...ADAMW, learningRate: '0.003', warmupSteps: 10 };

const engines: Engine[] = [];
before(async () => {
  engines.push(await createEngine('native', { threads: 1 }), await createEngine('native', { threads: 2 }));
  engines.push(await createEngine('exact', { threads: 1 }), await createEngine('exact', { threads: 2 }));
});
after(async () => {
  for (const engine of engines) await engine.close();
});

test('all engines, and plain JavaScript with every operation rounded, give the same bits', async () => {
  const program = adamwProgram(RULES);
  for (const [step, start] of [0, 7, 400].entries()) {
    const state = {
      p: noise(`p${step}`, 0.5),
      m: noise(`m${step}`, 0.01),
      v: squares(`v${step}`),
      g: noise(`g${step}`, 0.1),
    };
    const scalars = stepScalars(RULES, { powers: powersAfter(RULES, start + 1), learningRate: 0.003, clipScale: 0.37 });
    const keep = decayTable(scalars.keep).slice(1000, 1000 + CHUNK);
    const expected = slowStep({ ...state, keep }, scalars);
    for (const engine of engines) {
      const { gradientScale, squareScale, rate, epsilon } = scalars;
      const numbers = Object.entries({ gradientScale, squareScale, rate, epsilon }).map(([k, n]) => [
        k,
        Float32Array.of(n),
      ]);
      const run = await (await engine.load(program)).run({ ...state, keep, ...Object.fromEntries(numbers) });
      for (const name of ['newP', 'newM', 'newV'] as const)
        assert.deepEqual(run[name], expected[name], `${name} on ${engine.name}, ${engine.threads} threads`);
    }
  }
});

test('the whole arena in one run, as on a GPU, gives the bits of its chunks', async () => {
  const whole = 2 * CHUNK;
  assert.deepEqual([chunkFor('device', whole), chunkFor('host', whole)], [whole, CHUNK]);
  const numbers = { gradientScale: [0.1], squareScale: [0.05], rate: [0.003], epsilon: [1e-8] };
  const scalars = Object.fromEntries(Object.entries(numbers).map(([name, list]) => [name, Float32Array.from(list)]));
  const border = CHUNK + 77;
  const table = decayTable(0.9, whole);
  const [engine] = engines as [Engine];
  const made = await (await engine.load(decayTableProgram(whole))).run({ keep: Float32Array.of(0.9) });
  assert.deepEqual(made.table, table);
  const arena = { p: two('p'), m: two('m'), v: Float32Array.from(two('v'), Math.abs), g: two('g') };
  const keep = table.slice(decayOffset(0, border, whole), decayOffset(0, border, whole) + whole);
  const at = await (await engine.load(adamwProgram(RULES, whole))).run({ ...arena, keep, ...scalars });
  const chunked = await engine.load(adamwProgram(RULES));
  for (const start of [0, CHUNK]) {
    const cut = (values: Float32Array) => values.slice(start, start + CHUNK);
    const inputs = Object.fromEntries(Object.entries(arena).map(([name, values]) => [name, cut(values)]));
    const offset = decayOffset(start, border);
    const part = await chunked.run({ ...inputs, keep: decayTable(0.9).slice(offset, offset + CHUNK), ...scalars });
    for (const name of ['newP', 'newM', 'newV']) assert.deepEqual(part[name], cut(at[name] as Float32Array), name);
  }
});

test('a step is the textbook AdamW step', () => {
  const [p, g, rate, decay, epsilon] = [0.5, 0.2, 0.003, 0.1, 1e-8];
  let [m, v, powers] = [0, 0, INITIAL_POWERS];
  let state = { p: Float32Array.of(p), m: new Float32Array(1), v: new Float32Array(1) };
  let textbook = p;
  for (let t = 1; t <= 20; t++) {
    [m, v] = [0.9 * m + 0.1 * g, 0.95 * v + 0.05 * g * g];
    const [mHat, vHat] = [m / (1 - 0.9 ** t), v / (1 - 0.95 ** t)];
    textbook -= rate * decay * textbook + (rate * mHat) / (Math.sqrt(vHat) + epsilon);
    powers = nextPowers(RULES, powers);
    const scalars = stepScalars(RULES, { powers, learningRate: rate, clipScale: 1 });
    const { newP, newM, newV } = slowStep(
      { ...state, g: Float32Array.of(g), keep: Float32Array.of(scalars.keep) },
      scalars,
    );
    state = { p: newP, m: newM, v: newV };
  }
  assert.ok(Math.abs(state.p[0]! - textbook) < 1e-6, `${state.p[0]} should be ${textbook}`);
});

test('zeros stay zeros, so that padding does', async () => {
  const zero = new Float32Array(CHUNK);
  const [one, small] = [Float32Array.of(1), Float32Array.of(1e-8)];
  const inputs = {
    p: zero,
    m: zero,
    v: zero,
    g: zero,
    keep: zero,
    gradientScale: one,
    squareScale: one,
    rate: one,
    epsilon: small,
  };
  const run = await (await engines[0]!.load(adamwProgram(RULES))).run(inputs);
  assert.deepEqual([run.newP, run.newM, run.newV], [zero, zero, zero]);
});

test('the norm of a chunk is right, and the same for 1 and 2 threads', async () => {
  const g = noise('norm', 3);
  const truth = g.reduce((sum, value) => sum + value * value, 0);
  const sums = [];
  for (const engine of engines) sums.push((await (await engine.load(normProgram())).run({ g })).sumSquares![0]!);
  assert.ok(
    sums.every((sum) => Math.abs(sum / truth - 1) < 1e-5),
    `${sums} should be ${truth}`,
  );
  assert.equal(sums[0], sums[1]);
  assert.equal(sums[2], sums[3]);
});

test('weight decay ends at the border between matrices and vectors, wherever chunks begin', () => {
  for (const border of [1, CHUNK - 1, CHUNK, CHUNK + 5, 3 * CHUNK]) {
    const table = decayTable(0.5);
    for (let start = 0; start < 4 * CHUNK; start += CHUNK) {
      const offset = decayOffset(start, border);
      for (const i of [0, 1, 4, 5, CHUNK - 2, CHUNK - 1])
        assert.equal(table[offset + i], start + i < border ? 0.5 : 1, `border ${border}, element ${start + i}`);
    }
  }
  assert.equal(paddedElements(CHUNK), CHUNK);
  assert.equal(paddedElements(CHUNK + 1), 2 * CHUNK);
});

test('clipping scales long gradients down to the limit and leaves short ones', () => {
  assert.equal(clipScaleOf(RULES, 0.9), 1);
  assert.equal(clipScaleOf(RULES, 16), 0.25);
  assert.equal(clipScaleOf(RULES, 0), 1);
});

/** The formulas of `adamwProgram`, one operation after the other. */
function slowStep(
  { p, m, v, g, keep }: Record<'p' | 'm' | 'v' | 'g' | 'keep', Float32Array>,
  { gradientScale, squareScale, rate, epsilon }: ReturnType<typeof stepScalars>,
) {
  const f = Math.fround;
  const [beta1, beta2] = [f(0.9), f(0.95)];
  const newM = m.map((value, i) => f(f(value * beta1) + f(g[i]! * gradientScale)));
  const newV = v.map((value, i) => f(f(value * beta2) + f(f(g[i]! * g[i]!) * squareScale)));
  const newP = p.map((value, i) =>
    f(f(value * keep[i]!) - f(f(newM[i]! * rate) / f(f(Math.sqrt(newV[i]!)) + epsilon))),
  );
  return { newP, newM, newV };
}

function noise(seed: string, size: number): Float32Array {
  const random = new SeededRandom(seed);
  return Float32Array.from({ length: CHUNK }, () => (random.uint32() / 2 ** 31 - 1) * size);
}

function squares(seed: string): Float32Array {
  return noise(seed, 0.1).map((value) => value * value);
}

/** Two chunks of noise. */
function two(seed: string): Float32Array {
  return Float32Array.from([...noise(`${seed} first`, 0.1), ...noise(`${seed} second`, 0.1)]);
}
