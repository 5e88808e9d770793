import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesOf, SeededRandom } from '@folkmoot/core';
import fc from 'fast-check';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { compile } from '../compile.ts';
import { Graph, type Value } from '../graph.ts';
import { add, divide, multiply, reshape, scale, sigmoid, squareRoot, subtract } from '../operators.ts';
import type { Program } from '../program.ts';
import { elementwiseKernel } from './elementwise-kernel.ts';

const TWO = [add, subtract, multiply, divide];

/** A program of random steps, each on earlier values: `vectors` inputs [n] and `numbers` inputs []. */
interface Recipe {
  readonly length: number;
  readonly vectors: number;
  readonly numbers: number;
  readonly steps: readonly (readonly [operator: number, a: number, b: number])[];
}

const recipes: fc.Arbitrary<Recipe> = fc.record({
  length: fc.constantFrom(4, 12, 8192, 8196, 20_000),
  vectors: fc.integer({ min: 1, max: 4 }),
  numbers: fc.integer({ min: 0, max: 3 }),
  steps: fc.array(fc.tuple(fc.nat(5), fc.nat(99), fc.nat(99)), { minLength: 1, maxLength: 15 }),
});

function programOf({ length, vectors, numbers, steps }: Recipe): Program {
  const graph = new Graph();
  const values: Value[] = [];
  for (let i = 0; i < vectors; i++) values.push(graph.input(`v${i}`, 'float32', [length]));
  for (let i = 0; i < numbers; i++) values.push(graph.input(`n${i}`, 'float32', []));
  for (const [operator, a, b] of steps) {
    const [x, y] = [values[a % values.length]!, values[b % values.length]!];
    if (operator === 5) values.push(scale(x, Math.fround(0.1 + b / 7)));
    else values.push(operator === 4 ? squareRoot(x) : TWO[operator]!(x, y));
  }
  const made = values.slice(vectors + numbers).filter(({ shape }) => shape.length === 1);
  const kept = made.length ? made : [add(values[0]!, values[0]!)];
  for (const [i, value] of [...new Set(kept)].slice(-3).entries()) graph.output(`y${i}`, value);
  return compile(graph, 'random');
}

function dataOf({ inputs }: Program): Float32Array[] {
  return inputs.map(({ name, shape }) => {
    const random = new SeededRandom(name);
    return Float32Array.from(
      { length: shape[0] ?? 1 },
      () => 2 ** ((random.uint32() % 60) - 30) * (random.uint32() / 2 ** 31 + 1),
    );
  });
}

test('any program of the five operators has the bits of ONNX Runtime', async () => {
  await fc.assert(
    fc.asyncProperty(recipes, async (recipe) => {
      const program = programOf(recipe);
      const kernel = elementwiseKernel(program);
      assert(kernel);
      const inputs = dataOf(program);
      const outputs = program.outputs.map(() => new Float32Array(recipe.length));
      kernel(inputs, outputs);
      const session = await InferenceSession.create(program.bytes);
      const feeds = program.inputs.map(({ name, shape }, i) => [name, new Tensor('float32', inputs[i]!, shape)]);
      const expected = await session.run(Object.fromEntries(feeds));
      await session.release();
      for (const [i, { name }] of program.outputs.entries())
        assertSameBits(outputs[i]!, expected[name]!.data as Float32Array);
    }),
    { numRuns: 60 },
  );
});

test('outputs that are not wanted stay unwritten, and results may take the place of what they come from', () => {
  const graph = new Graph();
  const [a, b] = ['a', 'b'].map((name) => graph.input(name, 'float32', [8196]));
  graph.output('total', add(a!, b!));
  graph.output('product', multiply(a!, b!));
  const kernel = elementwiseKernel(compile(graph, 'pair'))!;
  const [x, y] = [Float32Array.from({ length: 8196 }, (_, i) => i), new Float32Array(8196).fill(2)];
  kernel([x, y], [null, x]);
  assert.deepEqual([x[1], x[8195], y[0]], [2, 16_390, 2]);
});

test('programs of another kind are left to ONNX Runtime', () => {
  const built = (build: (graph: Graph, x: Value) => Value, length = 8) => {
    const graph = new Graph();
    graph.output('y', build(graph, graph.input('x', 'float32', [length])));
    return compile(graph, 'other');
  };
  const good = built((_, x) => add(x, x));
  assert(elementwiseKernel(good));
  const others = [
    built((_, x) => sigmoid(x)),
    built((_, x) => reshape(x, { shape: [2, 4] })),
    built((_, x) => x),
    built((_, x) => add(x, x), 6),
    built((graph, x) => add(x, graph.constant(new Float32Array(8), [8]))),
    built((graph, x) => add(x, graph.constant(new Float32Array(1), [1]))),
    built((graph) => add(graph.scalar(1), graph.input('z', 'float32', []))),
    built((_, x) => Array.from({ length: 80 }).reduce<Value>((y) => add(y, x), x)),
    { ...good, inputs: [] },
    { ...good, bytes: good.bytes.subarray(1) },
  ];
  for (const [i, program] of others.entries()) assert.equal(elementwiseKernel(program), undefined, `program ${i}`);
});

/** Equal bits; of what is not a number, that it is none. */
function assertSameBits(actual: Float32Array, expected: Float32Array): void {
  const [a, b] = [actual, expected].map((list) => list.map((value) => (Number.isNaN(value) ? Number.NaN : value)));
  assert.ok(Buffer.from(bytesOf(a!)).equals(bytesOf(b!)), 'the bits differ');
}
