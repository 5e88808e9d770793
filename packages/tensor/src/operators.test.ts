import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { bytesOf, SeededRandom, sha256 } from '@folkmoot/core';
import { compile } from './compile.ts';
import * as ops from './composites.ts';
import type { Engine, TensorData } from './engine.ts';
import { createEngine } from './engines/create-engine.node.ts';
import { gradients } from './gradients.ts';
import { elementsOf, Graph, type Value } from './graph.ts';
import * as rows from './operators.ts';
import type { DType } from './program.ts';

/**
 * Every operator, twice: against finite differences (is the derivative that of this forward part?) and, where a golden
 * file exists, against PyTorch (is it the right function?). `golden/make_golden.py` writes the golden files.
 */
interface Case {
  readonly build: (...inputs: Value[]) => Value;
  /** Shapes of float32 inputs, where no golden file gives inputs. */
  readonly shapes?: number[][];
  /** Inputs without a gradient, by position. */
  readonly constant?: number[];
}

const at = (value: Value, ...indices: number[]) => value.graph.constant(Int32Array.from(indices), [indices.length, 1]);

const CASES: Record<string, Case> = {
  add: { build: rows.add },
  subtract: { build: rows.subtract },
  multiply: { build: rows.multiply },
  divide: { build: rows.divide },
  scale: { build: (x) => rows.scale(rows.scale(x!, 3), -0.5), shapes: [[2, 3]] },
  shift: { build: (x) => rows.multiply(rows.shift(x!, { term: 2 }), x!), shapes: [[2, 3]] },
  squareRoot: { build: rows.squareRoot },
  reciprocal: { build: rows.reciprocal },
  exponential: { build: rows.exponential },
  logarithm: { build: rows.logarithm },
  sigmoid: { build: rows.sigmoid },
  softmax: { build: rows.softmax },
  sum: { build: (x) => rows.sum(x!, { axes: [0] }) },
  sumOfSquares: { build: (x) => rows.sumOfSquares(x!, { axes: [1] }) },
  reshape: {
    build: (x) => rows.multiply(rows.reshape(x!, { shape: [3, 2] }), rows.reshape(x!, { shape: [3, 2] })),
    shapes: [[2, 3]],
  },
  expand: { build: (x) => rows.expand(x!, { shape: [4, 2, 3] }), shapes: [[2, 1]] },
  transpose: { build: (x) => rows.transpose(x!, { order: [2, 0, 1] }), shapes: [[2, 3, 4]] },
  slice: { build: (x) => rows.slice(x!, { axis: 1, start: 1, end: 3 }), shapes: [[2, 4]] },
  'slice to the end': { build: (x) => rows.slice(x!, { axis: 0, start: 1, end: 2 }), shapes: [[2, 4]] },
  join: {
    build: (a, b) => rows.join(a!, b!, { axis: 1 }),
    shapes: [
      [2, 3],
      [2, 1],
    ],
  },
  upper: { build: (x) => rows.upper(x!, { diagonal: 2 }), shapes: [[3, 4]] },
  pick: { build: (x) => rows.pick(x!, at(x!, 2, 0, 2)), shapes: [[3, 4]] },
  matrixProduct: { build: (a, b) => rows.matrixProduct(a!, b!, { transB: true }) },
  'matrixProduct, left transposed': {
    build: (a, b) => rows.matrixProduct(rows.scale(a!, 2), b!, { transA: true, alpha: 0.3 }),
    shapes: [
      [4, 3],
      [4, 2],
    ],
  },
  'matrixProduct, both transposed': {
    build: (a, b, c) => rows.matrixProduct(a!, b!, { transA: true, transB: true }, c!),
    shapes: [
      [4, 3],
      [2, 4],
      [3, 2],
    ],
  },
  'matrixProduct of itself': { build: (a) => rows.matrixProduct(a!, a!), shapes: [[3, 3]] },
  batchProduct: { build: rows.batchProduct },
  embedding: { build: ops.embedding },
  'embedding, tied to the product after it': {
    build: (x) =>
      rows.matrixProduct(rows.rows(x!, x!.graph.constant(Int32Array.of(1, 1, 2), [3])), x!, { transB: true }),
    shapes: [[4, 2]],
  },
  rmsNorm: { build: (x, w) => ops.rmsNorm(x!, w!, { epsilon: 1e-5 }) },
  swiglu: { build: ops.swiglu },
  rotary: { build: ops.rotary, constant: [1, 2] },
  'causalAttention in uneven blocks': {
    build: (q, k, v) => ops.causalAttention(q!, k!, v!, { scale: 0.4, block: 2 }),
    shapes: [
      [2, 4, 5, 2],
      [2, 2, 5, 2],
      [2, 2, 5, 2],
    ],
  },
  causalAttention: { build: (q, k, v) => ops.causalAttention(q!, k!, v!, { scale: 0.4 }) },
  crossEntropy: { build: ops.crossEntropy },
  crossEntropyWithZ: { build: (z, targets) => ops.crossEntropyWithZ(z!, targets!, { weight: 0.1 }).objective },
};

let engine: Engine;
before(async () => {
  engine = await createEngine('native', { threads: 1 });
});
after(() => engine.close());

for (const [name, item] of Object.entries(CASES)) {
  const url = new URL(`../golden/${name}.json`, import.meta.url);
  const golden = existsSync(url) ? (JSON.parse(readFileSync(url, 'utf8')) as Golden) : undefined;
  assert(golden || item.shapes, `${name} has neither golden values nor shapes`);

  test(`${name}: the derivative agrees with finite differences`, async () => {
    const inputs = golden?.inputs.map(fromGolden) ?? item.shapes!.map((shape, i) => random(`${name} ${i}`, shape));
    const { output, weight, slopes, evaluate } = await prepare(item, inputs);
    assert.ok(output.length > 0);
    for (const [i, slope] of slopes.entries())
      for (const j of slope?.keys() ?? []) {
        const numeric = await difference((move) => evaluate(i, j, move), weight);
        assert.ok(close(numeric, slope![j]!, 2e-4), `input ${i}, element ${j}: ${slope![j]} should be ${numeric}`);
      }
  });

  if (golden)
    test(`${name}: values and gradients are PyTorch's`, async () => {
      const { output, slopes } = await prepare(
        item,
        golden.inputs.map(fromGolden),
        new Float32Array(golden.weight.data),
      );
      assertNear(output, golden.output.data, 'output');
      for (const [i, slope] of slopes.entries())
        if (slope) assertNear(slope, golden.gradients[i]!.data, `gradient ${i}`);
    });
}

test('programs with a repeated index give the same bits with 1 and 2 threads', async () => {
  const graph = new Graph();
  const table = graph.input('table', 'float32', [50, 256]);
  const tokens = graph.input('tokens', 'int32', [2048]);
  const x = ops.embedding(table, tokens);
  const loss = rows.reshape(rows.sum(rows.multiply(x, rows.multiply(x, x)), { axes: [0, 1] }), { shape: [] });
  graph.output('grad', gradients(loss, [table])[0]!);
  const program = compile(graph, 'embedding');
  const values = random('table', [50, 256]).data;
  const repeated = Int32Array.from({ length: 2048 }, (_, i) => (i * i) % 50);
  const results = [];
  for (const threads of [1, 2]) {
    const other = await createEngine('native', { threads });
    const executable = await other.load(program);
    results.push((await executable.run({ table: values, tokens: repeated })).grad!);
    await other.close();
  }
  assert.deepEqual(results[0], results[1]);
});

test('attention in blocks is attention in one, forward and backward', async () => {
  const shapes = [
    [2, 4, 11, 2],
    [2, 2, 11, 2],
    [2, 2, 11, 2],
  ];
  const inputs = shapes.map((shape, i) => random(`attention ${i}`, shape));
  const attention = (block: number): Case => ({
    build: (q, k, v) => ops.causalAttention(q!, k!, v!, { scale: 0.7, block }),
  });
  const whole = await prepare(attention(11), inputs);
  for (const block of [2, 3, 5]) {
    const { output, slopes } = await prepare(attention(block), inputs);
    assertNear(output, [...whole.output], `output in blocks of ${block}`);
    for (const [i, slope] of slopes.entries())
      assertNear(slope!, [...whole.slopes[i]!], `gradient ${i} in blocks of ${block}`);
  }
});

test('attention in blocks gives the same bits with 1, 2, 3 and 5 threads', async () => {
  const graph = new Graph();
  const shapes = { q: [1, 2, 300, 64], k: [1, 1, 300, 64], v: [1, 1, 300, 64] };
  const [q, k, v] = Object.entries(shapes).map(([name, shape]) => graph.input(name, 'float32', shape));
  const y = ops.causalAttention(q!, k!, v!, { scale: 0.1 });
  const loss = rows.reshape(rows.sumOfSquares(y, { axes: [0, 1, 2, 3] }), { shape: [] });
  for (const [i, slope] of gradients(loss, [q!, k!, v!]).entries()) graph.output(`slope${i}`, slope);
  const program = compile(graph, 'attention');
  const feeds = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, random(name, shape).data]));
  const digests = new Set<string>();
  for (const threads of [1, 2, 3, 5]) {
    const other = await createEngine('native', { threads });
    const slopes = Object.values(await (await other.load(program)).run(feeds));
    digests.add(slopes.map((slope) => sha256(bytesOf(slope))).join());
    await other.close();
  }
  assert.equal(digests.size, 1);
});

interface Tensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TensorData;
}
interface GoldenTensor {
  readonly dtype: DType;
  readonly shape: number[];
  readonly data: number[];
}
interface Golden {
  readonly inputs: GoldenTensor[];
  readonly output: GoldenTensor;
  readonly weight: GoldenTensor;
  readonly gradients: (GoldenTensor | null)[];
}

/** Output, gradients of Σ output·weight, and the output with one input element moved. */
async function prepare(item: Case, inputs: Tensor[], weights?: Float32Array) {
  const graph = new Graph();
  const values = inputs.map(({ dtype, shape }, i) => graph.input(`x${i}`, dtype, shape));
  const output = item.build(...values);
  const weight = weights ?? random('weight', output.shape).data;
  const axes = [...output.shape.keys()];
  const weighted = rows.multiply(output, graph.constant(weight as Float32Array, output.shape));
  const loss = axes.length ? rows.reshape(rows.sum(weighted, { axes }), { shape: [] }) : weighted;
  const moving = values.map((value, i) => value.dtype === 'float32' && !item.constant?.includes(i));
  const slopes = gradients(
    loss,
    values.filter((_, i) => moving[i]),
  );
  graph.output('y', output);
  for (const [i, slope] of slopes.entries()) graph.output(`slope${i}`, slope);
  const executable = await engine.load(compile(graph, 'case'));
  const feeds = Object.fromEntries(inputs.map(({ data }, i) => [`x${i}`, data]));
  const result = await executable.run(feeds);
  let count = 0;
  return {
    output: result.y!,
    weight,
    slopes: moving.map((moves) => (moves ? result[`slope${count++}`]! : undefined)),
    evaluate: async (i: number, j: number, move: number) => {
      const moved = inputs[i]!.data.slice();
      moved[j]! += move;
      return (await executable.run({ ...feeds, [`x${i}`]: moved })).y!;
    },
  };
}

/** Fourth-order central difference; sums in double precision, so float32 costs no more than rounding each output. */
async function difference(evaluate: (move: number) => Promise<TensorData>, weight: TensorData): Promise<number> {
  const step = 1 / 16;
  const total = async (move: number) => Array.from(await evaluate(move)).reduce((sum, y, i) => sum + y * weight[i]!, 0);
  const near = (await total(step)) - (await total(-step));
  const far = (await total(2 * step)) - (await total(-2 * step));
  return (8 * near - far) / (12 * step);
}

const close = (a: number, b: number, tolerance: number) => Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a));

function assertNear(actual: TensorData, expected: number[], what: string): void {
  assert.equal(actual.length, expected.length);
  for (const [i, value] of expected.entries())
    assert.ok(close(value, actual[i]!, 3e-6), `${what}, element ${i}: ${actual[i]} should be ${value}`);
}

function random(seed: string, shape: readonly number[]): Tensor {
  const source = new SeededRandom(seed);
  const data = Float32Array.from({ length: elementsOf(shape) }, () => source.uint32() / 2 ** 31 - 1);
  return { dtype: 'float32', shape, data };
}

function fromGolden({ dtype, shape, data }: GoldenTensor): Tensor {
  return { dtype, shape, data: dtype === 'float32' ? Float32Array.from(data) : Int32Array.from(data) };
}
