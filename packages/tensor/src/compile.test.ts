import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile } from './compile.ts';
import { linear, rmsNorm } from './composites.ts';
import { gradients } from './gradients.ts';
import { Graph, ShapeError } from './graph.ts';
import { add, largest, multiply, reshape, scale, squareRoot, sum } from './operators.ts';
import { summarizeProgram } from './read.ts';

function tiny() {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [2, 3]);
  const weight = graph.input('weight', 'float32', [4, 3]);
  const gain = graph.input('gain', 'float32', [3]);
  const y = linear(rmsNorm(x, gain, { epsilon: 1e-5 }), weight);
  const loss = reshape(sum(multiply(y, y), { axes: [0, 1] }), { shape: [] });
  graph.output('loss', loss);
  for (const [i, slope] of gradients(loss, [weight, gain]).entries()) graph.output(`slope${i}`, slope);
  return compile(graph, 'tiny');
}

test('the same graph gives the same bytes; changing them is a decision', () => {
  const program = tiny();
  assert.equal(program.id, tiny().id);
  assert.equal(program.id, 'e3e8cb1180588cacc6faa72e296ab83cebc1fcf9bd3699aff161b428d88c15b7');
});

test('only what the outputs need is written, and outputs are written without copies', () => {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [2]);
  squareRoot(x); // not needed
  graph.output('y', add(x, graph.scalar(1)));
  const { operators } = summarizeProgram(compile(graph, 'g').bytes);
  assert.deepEqual([...operators], [['Add', 1]]);
});

test('an output that is an input, or has two names, is copied', () => {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [2]);
  const y = add(x, x);
  for (const [name, value] of Object.entries({ same: x, first: y, second: y })) graph.output(name, value);
  const { operators, program } = summarizeProgram(compile(graph, 'g').bytes);
  assert.equal(operators.get('Identity'), 2);
  assert.deepEqual(
    program.outputs.map((output) => output.name),
    ['same', 'first', 'second'],
  );
});

test('numbers fold into each other and into products', () => {
  const graph = new Graph();
  const a = graph.input('a', 'float32', [2, 2]);
  graph.output('y', linear(scale(scale(a, 2), 0.25), a));
  graph.output('same', multiply(scale(a, 2), graph.scalar(0.5)));
  const { operators } = summarizeProgram(compile(graph, 'g').bytes);
  assert.deepEqual(
    [...operators],
    [
      ['Gemm', 1],
      ['Identity', 1],
    ],
  );
});

test('shapes are checked where the mistake is made', () => {
  const graph = new Graph();
  const a = graph.input('a', 'float32', [2, 3]);
  const b = graph.input('b', 'float32', [2, 4]);
  const says = (pattern: RegExp) => (error: unknown) => error instanceof ShapeError && pattern.test(error.message);
  assert.throws(() => add(a, b), says(/^Add: .*input a float32\[2, 3\], input b float32\[2, 4\]/));
  assert.throws(() => linear(a, b), says(/^Gemm/));
  assert.throws(() => reshape(a, { shape: [7] }), says(/does not fill \[7\]/));
  assert.throws(() => graph.input('c', 'float32', [0]), says(/is not a shape/));
  assert.throws(() => add(a, new Graph().input('x', 'float32', [2, 3])), /two graphs/);
});

test('gradients say which operator or parameter is the trouble', () => {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [2]);
  const other = graph.input('other', 'float32', [2]);
  const loss = reshape(largest(x, { axes: [0] }), { shape: [] });
  assert.throws(() => gradients(loss, [x]), /ReduceMax: has no derivative/);
  assert.throws(() => gradients(loss, [other]), /input other: does not reach the loss/);
});
