import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { SeededRandom } from '@folkmoot/core';
import fc from 'fast-check';
import { chunkedAttention } from './chunked-attention.ts';
import { compile } from './compile.ts';
import { causalAttention } from './composites.ts';
import type { Engine } from './engine.ts';
import { createEngine } from './engines/create-engine.node.ts';
import { gradients } from './gradients.ts';
import { elementsOf, Graph, ShapeError, type Value } from './graph.ts';
import { multiply, reshape, sum } from './operators.ts';
import { summarizeProgram } from './read.ts';

type Attention = (q: Value, k: Value, v: Value) => Value;

let engine: Engine;
before(async () => {
  engine = await createEngine('native', { threads: 1 });
});
after(() => engine.close());

/** What `attention` makes of random inputs, and the gradients of Σ output·weight. */
async function run(attention: Attention, shapes: readonly number[][]) {
  const [graph, feeds] = [new Graph(), new Map<string, Float32Array>()];
  const [q, k, v, weight] = [...shapes, shapes[0]!].map((shape, i) => {
    feeds.set(`x${i}`, random(`x${i}`, elementsOf(shape)));
    return graph.input(`x${i}`, 'float32', shape);
  });
  const output = attention(q!, k!, v!);
  const loss = reshape(sum(multiply(output, weight!), { axes: [0, 1, 2, 3] }), { shape: [] });
  graph.output('output', output);
  for (const [i, slope] of gradients(loss, [q!, k!, v!]).entries()) graph.output(`slope${i}`, slope);
  const executable = await engine.load(compile(graph, 'attention'));
  const result = await executable.run(Object.fromEntries(feeds));
  await executable.free();
  return result;
}

test('values and gradients are those of the plain attention, for any blocks and groups', async () => {
  const shape = fc.record({
    batch: fc.integer({ min: 1, max: 2 }),
    groups: fc.integer({ min: 1, max: 2 }),
    perGroup: fc.integer({ min: 1, max: 3 }),
    blocks: fc.constantFrom(1, 2, 3, 4, 7, 8, 12),
    block: fc.constantFrom(2, 4, 8),
    half: fc.integer({ min: 1, max: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(shape, async ({ batch, groups, perGroup, blocks, block, half }) => {
      const [time, size] = [blocks * block, 2 * half];
      const keys = [batch, groups, time, size];
      const shapes = [[batch, groups * perGroup, time, size], keys, keys];
      const plain = await run((q, k, v) => causalAttention(q, k, v, { scale: 0.7 }), shapes);
      const chunked = await run((q, k, v) => chunkedAttention(q, k, v, { scale: 0.7, block }), shapes);
      for (const [name, expected] of Object.entries(plain))
        for (const [i, value] of expected.entries())
          assert.ok(Math.abs(chunked[name]![i]! - value) < 2e-5, `${name} ${i}: ${chunked[name]![i]}, not ${value}`);
    }),
    { numRuns: 25 },
  );
});

test('nothing of the size T² is computed or kept', () => {
  const [block, time] = [16, 128];
  const graph = new Graph();
  const [q, k, v] = ['q', 'k', 'v'].map((name) => graph.input(name, 'float32', [1, 2, time, 4]));
  const output = chunkedAttention(q!, k!, v!, { scale: 1, block });
  const loss = reshape(sum(output, { axes: [0, 1, 2, 3] }), { shape: [] });
  for (const [i, slope] of gradients(loss, [q!, k!, v!]).entries()) graph.output(`slope${i}`, slope);
  const largest = Math.max(...graph.nodes.map((node) => elementsOf(node.output.shape)));
  assert.equal(largest, 2 * block * time);
  assert.ok(summarizeProgram(compile(graph, 'attention').bytes).constantBytes < 4 * time * block);
});

test('however many blocks, scores have four widths', () => {
  const graph = new Graph();
  const [q, k, v] = ['q', 'k', 'v'].map((name) => graph.input(name, 'float32', [1, 1, 256, 4]));
  const output = chunkedAttention(q!, k!, v!, { scale: 1, block: 16 });
  gradients(reshape(sum(output, { axes: [0, 1, 2, 3] }), { shape: [] }), [q!, k!, v!]);
  const widths = graph.nodes.filter(({ type }) => type === 'Softmax').map(({ output: { shape } }) => shape.at(-1));
  assert.equal(widths.length, 32);
  assert.deepEqual([...new Set(widths)], [64, 128, 192, 256]);
});

test('a context that is no multiple of the block, or heads above 128, are our mistake', () => {
  const build = (time: number, size: number) => {
    const graph = new Graph();
    const [q, k, v] = ['q', 'k', 'v'].map((name) => graph.input(name, 'float32', [1, 1, time, size]));
    return chunkedAttention(q!, k!, v!, { scale: 1, block: 8 });
  };
  assert.throws(() => build(12, 4), ShapeError);
  assert.throws(() => build(16, 130), ShapeError);
});

function random(seed: string, length: number): Float32Array {
  const source = new SeededRandom(seed);
  return Float32Array.from({ length }, () => source.uint32() / 2 ** 31 - 1);
}
