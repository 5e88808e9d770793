import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile } from '../compile.ts';
import { Graph } from '../graph.ts';
import { batchProduct, matrixProduct, sigmoid, swapLast } from '../operators.ts';
import { profileProgram } from './profile.node.ts';

test('the profile counts calls and the operations of products, however they lie', async () => {
  const graph = new Graph();
  const [a, b] = [graph.input('a', 'float32', [7, 30]), graph.input('b', 'float32', [7, 20])];
  const [c, d] = [graph.input('c', 'float32', [2, 3, 5, 11]), graph.input('d', 'float32', [2, 3, 13, 11])];
  graph.output('plain', matrixProduct(a, b, { transA: true }));
  graph.output('squashed', sigmoid(sigmoid(a)));
  graph.output('batch', batchProduct(c, swapLast(d)));
  const data = (length: number) => new Float32Array(length).fill(0.5);
  const feeds = { a: data(210), b: data(140), c: data(330), d: data(858) };
  const times = await profileProgram(compile(graph, 'products'), feeds, { threads: 1, runs: 3 });
  const found = times.filter(({ flops }) => flops > 0).sort((x, y) => x.flops - y.flops);
  assert.deepEqual(
    found.map(({ operator, calls, flops }) => [operator, calls, Math.round(flops)]),
    [
      ['Gemm', 1, 2 * 30 * 7 * 20],
      ['MatMul', 1, 2 * 6 * 5 * 11 * 13],
    ],
  );
  assert.equal(times.find(({ operator }) => operator === 'Sigmoid')?.calls, 2);
  assert.ok(times.every(({ ms }) => ms >= 0));
});
