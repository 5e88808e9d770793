import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { SeededRandom } from '@folkmoot/core';
import type { Engine, EngineKind, Executable, TensorData } from '@folkmoot/tensor';
import { createEngine } from '@folkmoot/tensor/node';
import type { ModelConfig } from './config.ts';
import { type ParameterLayout, parameterLayout } from './layout.ts';
import { muonProgram } from './muon.ts';
import { MUON } from './optimizer-rules.ts';
import { PRESETS } from './presets.ts';
import { muonScalars } from './step-scalars.ts';

/** All kinds of matrices: square, tall and wide ones, two of a shape and one alone. */
const CONFIG: ModelConfig = {
  ...{ vocab: 257, hidden: 24, layers: 2, heads: 4, kvHeads: 2, feedForward: 40, context: 8 },
  ...{ ropeTheta: 10_000, normEpsilon: '0.00001', tied: true },
};
const LAYOUT = parameterLayout(CONFIG);
const E = LAYOUT.blocks.elements;
const BLOCK = LAYOUT.tensors.filter(({ offset }) => offset < E);
const SCALARS = muonScalars(MUON, { learningRate: 0.003, clipScale: 0.37 });

let engine: Engine;
let muon: Executable;
before(async () => {
  engine = await createEngine('native', { threads: 1 });
  muon = await engine.load(muonProgram(MUON, LAYOUT));
});
after(() => engine.close());

test('a step of a block: a slow twin in double precision follows it', async () => {
  const [p, m, g] = [noise('p', E, 0.05), noise('m', E, 0.001), noise('g', E, 0.01)];
  const { newP, newM } = await step(muon, { p, m, g });
  for (const { name, shape, offset, elements } of BLOCK) {
    const part = (arena: TensorData) => Float64Array.from(arena.subarray(offset, offset + elements));
    const twin = slowStep(shape as [number, number], { p: part(p), m: part(m), g: part(g) });
    assertNear(part(newM!), twin.newM, 1e-6, `momentum of ${name}`);
    assertNear(difference(part(newP!), part(p)), difference(twin.newP, part(p)), 1e-4, name);
  }
});

test('three steps are those of PyTorch', async () => {
  const golden = JSON.parse(readFileSync(new URL('../golden/muon.json', import.meta.url), 'utf8'));
  let [p, m]: Float32Array[] = [formula(E, 1), new Float32Array(E)];
  for (let t = 1; t <= 3; t++) {
    const { newP, newM } = await step(muon, { p, m, g: formula(E, 7 * t) });
    [p, m] = [newP as Float32Array, newM as Float32Array];
  }
  for (const { name, offset, elements } of BLOCK) {
    const expected = new Float32Array(Uint8Array.from(atob(golden[name]), (c) => c.charCodeAt(0)).buffer);
    const start = formula(E, 1).subarray(offset, offset + elements);
    assertNear(difference(p.subarray(offset, offset + elements), start), difference(expected, start), 1e-4, name);
  }
});

test('every matrix changes by the same root mean square, about 0.2 learning rates', async () => {
  const { newP } = await step(muon, { p: new Float32Array(E), m: new Float32Array(E), g: noise('rms', E, 1e-4) });
  for (const { name, offset, elements } of BLOCK) {
    const part = Float64Array.from(newP!.subarray(offset, offset + elements));
    const squares = part.reduce((total, value) => total + value * value, 0);
    const rms = Math.sqrt(squares / elements) / 0.003;
    assert.ok(rms > 0.14 && rms < 0.24, `${name}: ${rms}`);
  }
});

test('a matrix without gradient only decays, and stays finite', async () => {
  const p = noise('still', E, 1);
  const zero = new Float32Array(E);
  const { newP, newM } = await step(muon, { p, m: zero, g: zero });
  assert.deepEqual(
    newP,
    p.map((value) => value * SCALARS.keep),
  );
  assert.deepEqual(newM, zero);
});

test('gradients of any length turn into the same change', async () => {
  const zero = new Float32Array(E);
  const g = noise('length', E, 1);
  const changes = await Promise.all(
    [1e-6, 1, 1e3].map(async (length) => {
      const { newP } = await step(muon, { p: zero, m: zero, g: g.map((value) => value * length) });
      return Float64Array.from(newP!);
    }),
  );
  for (const change of changes) assertNear(change, changes[1]!, 1e-3, 'change');
});

/** Widths at which ONNX Runtime's order of summation could depend on the number of threads. */
const AWKWARD: ModelConfig = { ...CONFIG, layers: 1, hidden: 200, heads: 4, kvHeads: 1, feedForward: 520, context: 64 };

for (const [kind, counts] of [
  ['native', [1, 2, 3, 4, 5, 8, 13, 16]],
  ['exact', [1, 2, 3, 16]],
] as const)
  test(`${kind}: the number of threads does not change a bit`, async () => {
    for (const layout of [LAYOUT, parameterLayout(AWKWARD), parameterLayout(PRESETS.tiny)]) {
      const results = [];
      for (const threads of counts) results.push(await onThreads(kind, threads, layout));
      for (const [i, result] of results.entries()) assert.deepEqual(result, results[0], `${counts[i]} threads`);
    }
  });

test('the bytes of the program are frozen: changing them is a decision', () => {
  assert.equal(muonProgram(MUON, parameterLayout(PRESETS.tiny)).id.slice(0, 16), 'b9e89938410235f6');
});

async function onThreads(kind: EngineKind, threads: number, layout: ParameterLayout) {
  const other = await createEngine(kind, { threads });
  const { elements } = layout.blocks;
  const inputs = { p: noise('p', elements, 0.05), m: noise('m', elements, 0.001), g: noise('g', elements, 0.01) };
  const result = await step(await other.load(muonProgram(MUON, layout)), inputs);
  await other.close();
  return result;
}

function step(on: Executable, inputs: Record<'p' | 'm' | 'g', Float32Array>) {
  const numbers = Object.entries(SCALARS).map(([name, value]) => [name, Float32Array.of(value)]);
  return on.run({ ...inputs, ...Object.fromEntries(numbers) });
}

type Matrix = Float64Array;

/** Muon as its authors write it, with Moonlight's length, on one matrix `[n, m]`. */
function slowStep([n, m]: [number, number], state: Record<'p' | 'm' | 'g', Matrix>) {
  const { gradientScale, rate, keep } = SCALARS;
  const momentum = Math.fround(0.95);
  const newM = state.m.map((value, i) => momentum * value + gradientScale * state.g[i]!);
  let x = newM.map((value, i) => momentum * value + gradientScale * state.g[i]!);
  const norm = Math.sqrt(x.reduce((total, value) => total + value * value, 0));
  x = x.map((value) => value / norm);
  for (let i = 0; i < 5; i++) {
    const square = product(x, transposed(x, n, m), n, m, n);
    const cubed = product(square, x, n, n, m);
    const fifth = product(square, cubed, n, n, m);
    x = x.map((value, at) => 3.4445 * value - 4.775 * cubed[at]! + 2.0315 * fifth[at]!);
  }
  const length = rate * Math.sqrt(Math.max(n, m));
  return { newM, newP: state.p.map((value, i) => keep * value - length * x[i]!) };
}

function product(a: Matrix, b: Matrix, rows: number, inner: number, columns: number): Matrix {
  const result = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++)
      for (let k = 0; k < inner; k++) result[i * columns + j]! += a[i * inner + k]! * b[k * columns + j]!;
  return result;
}

function transposed(a: Matrix, rows: number, columns: number): Matrix {
  return a.map((_, i) => a[(i % rows) * columns + Math.floor(i / rows)]!);
}

function difference(a: Float64Array | Float32Array, b: Float64Array | Float32Array): Matrix {
  return Float64Array.from(a, (value, i) => value - b[i]!);
}

/** Relative to the whole, in Euclid's norm. */
function assertNear(actual: Matrix, expected: Matrix, tolerance: number, what: string): void {
  const length = (values: Matrix) => Math.sqrt(values.reduce((total, value) => total + value * value, 0));
  const apart = length(difference(actual, expected)) / length(expected);
  assert.ok(apart < tolerance, `${what}: ${apart}`);
}

/** The formula of `golden/make_muon.py`. */
function formula(elements: number, seed: number): Float32Array {
  return Float32Array.from({ length: elements }, (_, i) => (((i * 7919 + seed * 104_729) % 2001) - 1000) / 20_000);
}

function noise(seed: string, elements: number, size: number): Float32Array {
  const random = new SeededRandom(seed);
  return Float32Array.from({ length: elements }, () => (random.uint32() / 2 ** 31 - 1) * size);
}
