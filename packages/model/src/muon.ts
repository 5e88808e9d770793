/**
 * Muon (Jordan et al. 2024) as a program over the matrices of one decoder block.
 *
 * All blocks have the same shapes, so one small program serves a model of any depth, once for each block. Matrices of
 * one shape (or of its transpose) are turned together, as a batch.
 */
import { assert } from '@folkmoot/core';
import {
  add,
  batchProduct,
  compile,
  divide,
  Graph,
  multiply,
  type Program,
  reshape,
  scale,
  shift,
  slice,
  squareRoot,
  subtract,
  sum,
  sumOfSquares,
  swapLast,
  type Value,
} from '@folkmoot/tensor';
import type { ParameterLayout, ParameterTensor } from './layout.ts';
import type { MuonRules } from './optimizer-rules.ts';
import { momentumDecay } from './step-scalars.ts';

/** Jordan's polynomial a·x + b·x³ + c·x⁵: applied five times, it brings singular values from 0.01 to 1 near 1 (0.7 to 1.2). */
const [A, B, C] = [3.4445, -4.775, 2.0315];
const ITERATIONS = 5;
/** Only a matrix of zeros is shorter. */
const LEAST_NORM = 1e-12;

/**
 * One Muon step of one block of E = `layout.blocks.elements` elements, its matrices one after the other.
 *
 * Inputs: `p`, `m`, `g` (parameters, momentum, gradient) float32 `[E]`; `gradientScale`, `rate`, `keep` float32 [] (see
 * `muonScalars`). Outputs: `newP`, `newM` float32 `[E]`:
 *
 *     newM = momentum·m + gradientScale·g
 *     newP = keep·p − rate·√max(n, m)·turned(momentum·newM + gradientScale·g)
 *
 * for each matrix `[n, m]`, where `turned` has nearly the same singular vectors and all singular values near 1. The
 * factor √max(n, m) gives every matrix changes of the same root mean square (Liu et al. 2025, "Muon is scalable").
 */
export function muonProgram(rules: Pick<MuonRules, 'momentum'>, layout: ParameterLayout): Program {
  const { count, elements } = layout.blocks;
  assert(count > 0, 'Muon wants a model with blocks');
  const graph = new Graph();
  const [p, m, g] = ['p', 'm', 'g'].map((name) => graph.input(name, 'float32', [elements]));
  const [gradientScale, rate, keep] = ['gradientScale', 'rate', 'keep'].map((name) => graph.input(name, 'float32', []));
  const momentum = graph.scalar(momentumDecay(rules));
  const news = multiply(g!, gradientScale!);
  const newM = add(multiply(m!, momentum), news);
  const ahead = add(multiply(newM, momentum), news); // Nesterov's look ahead
  const change = turnAll(
    ahead,
    layout.tensors.filter(({ offset }) => offset < elements),
  );
  graph.output('newP', subtract(multiply(p!, keep!), multiply(change, rate!)));
  graph.output('newM', newM);
  return compile(graph, 'muon');
}

/** All matrices of a block `[E]`, each turned and brought to its length. */
function turnAll(block: Value, matrices: readonly ParameterTensor[]): Value {
  const turned = new Map<ParameterTensor, Value>();
  for (const group of Map.groupBy(matrices, ({ shape }) => tallShape(shape).join()).values()) {
    const tall = tallShape(group[0]!.shape);
    const together = join(group.map((matrix) => normalized(tallSlice(block, matrix))));
    const result = scale(turn(together), Math.fround(Math.sqrt(tall[0])));
    for (const [i, matrix] of group.entries()) {
      const one = slice(result, { axis: 0, start: i, end: i + 1 });
      turned.set(matrix, reshape(isWide(matrix) ? swapLast(one) : one, { shape: [matrix.elements] }));
    }
  }
  return join(matrices.map((matrix) => turned.get(matrix)!));
}

/**
 * `[1, n, m]` divided by its Frobenius norm.
 *
 * One matrix at a time, rows first: ONNX Runtime adds the rows' sums of several matrices in an order that depends on the
 * number of threads.
 */
function normalized(matrix: Value): Value {
  const squares = sum(sumOfSquares(matrix, { axes: [2] }), { axes: [1] }); // [1, 1, 1]
  return divide(matrix, shift(squareRoot(squares), { term: LEAST_NORM }));
}

/**
 * Newton and Schulz's iteration on matrices `[K, n, m]` of norm 1, n ≥ m: singular values come near 1.
 *
 * Tall, so that all products are at least as tall as wide: ONNX Runtime cuts those by rows, and their bits do not depend
 * on the number of threads (see `matrixProduct`). Also the inner products are the small ones, `[m, m]`.
 */
function turn(matrices: Value): Value {
  let x = matrices;
  for (let i = 0; i < ITERATIONS; i++) {
    const gram = batchProduct(swapLast(x), x); // [K, m, m]
    const polynomial = add(scale(gram, B), scale(batchProduct(gram, gram), C));
    x = add(scale(x, A), batchProduct(x, polynomial));
  }
  return x;
}

function tallSlice(block: Value, matrix: ParameterTensor): Value {
  const flat = slice(block, { axis: 0, start: matrix.offset, end: matrix.offset + matrix.elements });
  const one = reshape(flat, { shape: [1, ...matrix.shape] });
  return isWide(matrix) ? swapLast(one) : one;
}

const isWide = ({ shape: [height, width] }: ParameterTensor) => height! < width!;

function tallShape([height, width]: readonly number[]): [number, number] {
  return height! < width! ? [width!, height!] : [height!, width!];
}

/** `parts` one after the other along the first axis. */
function join(parts: readonly Value[]): Value {
  const [first] = parts as [Value];
  if (parts.length === 1) return first;
  const length = parts.reduce((total, { shape }) => total + shape[0]!, 0);
  return first.graph.node('Concat', parts, { axis: 0 }, 'float32', [length, ...first.shape.slice(1)]);
}
