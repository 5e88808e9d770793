/**
 * AdamW (Loshchilov and Hutter 2019) as a program over chunks of the arena.
 *
 * One small program serves every model: all buffers (parameters, moments, gradients) are allocated with
 * `paddedElements(N)` elements, a multiple of CHUNK, and the program runs once per chunk. The padding is zero and stays
 * zero. A chunk is small enough for the processor's cache, which is where the speed comes from: the same nodes over the
 * whole arena would fetch it from memory a dozen times.
 *
 * The program uses + − × ÷ and sqrt alone, each of which IEEE 754 rounds in one way, so all engines give the same bits.
 */
import {
  add,
  compile,
  divide,
  Graph,
  multiply,
  type Program,
  reshape,
  squareRoot,
  subtract,
  sum,
  sumOfSquares,
} from '@folkmoot/tensor';
import type { OptimizerRules } from './optimizer-rules.ts';
import { firstDecay, secondDecay } from './step-scalars.ts';

/** Elements of one run of the optimizer; a multiple of 256. */
export const CHUNK = 32_768;

/** The size of a buffer for an arena of `elements`: rounded up to whole chunks. */
export function paddedElements(elements: number): number {
  return Math.ceil(elements / CHUNK) * CHUNK;
}

/**
 * One AdamW step of one chunk.
 *
 * Inputs: `p`, `m`, `v`, `g` (parameters, moments, gradient) and `keep` (what weight decay leaves of each parameter,
 * see `decayTable`) float32 `[CHUNK]`; `gradientScale`, `squareScale`, `rate`, `epsilon` float32 [] (see `stepScalars`).
 * Outputs: `newP`, `newM`, `newV` float32 `[CHUNK]`:
 *
 *     newM = beta1·m + gradientScale·g
 *     newV = beta2·v + squareScale·(g·g)
 *     newP = keep·p − rate·newM / (√newV + epsilon)
 *
 * in which each operation is rounded to float32, in the order of the formulas; products before sums.
 */
export function adamwProgram(rules: Pick<OptimizerRules, 'beta1' | 'beta2'>): Program {
  const graph = new Graph();
  const [p, m, v, g, keep] = ['p', 'm', 'v', 'g', 'keep'].map((name) => graph.input(name, 'float32', [CHUNK]));
  const [gradientScale, squareScale, rate, epsilon] = ['gradientScale', 'squareScale', 'rate', 'epsilon'].map((name) =>
    graph.input(name, 'float32', []),
  );
  const newM = add(multiply(m!, graph.scalar(firstDecay(rules))), multiply(g!, gradientScale!));
  const newV = add(multiply(v!, graph.scalar(secondDecay(rules))), multiply(multiply(g!, g!), squareScale!));
  const change = divide(multiply(newM, rate!), add(squareRoot(newV), epsilon!));
  graph.output('newP', subtract(multiply(p!, keep!), change));
  graph.output('newM', newM);
  graph.output('newV', newV);
  return compile(graph, 'adamw');
}

/**
 * The squared norm of one chunk of the gradient: `g` float32 `[CHUNK]` gives `sumSquares` float32 [].
 *
 * Rows are summed first, then their sums, so that the number of threads does not change the order. The host adds the
 * chunks' sums in double precision, in their order.
 */
export function normProgram(): Program {
  const graph = new Graph();
  const g = graph.input('g', 'float32', [CHUNK]);
  const byRow = sumOfSquares(reshape(g, { shape: [256, CHUNK / 256] }), { axes: [1] }); // [256, 1]
  graph.output('sumSquares', reshape(sum(byRow, { axes: [0] }), { shape: [] }));
  return compile(graph, 'norm');
}

/**
 * What `keep` views: CHUNK times `keep` (what decays), then CHUNK times 1 (what does not).
 *
 * The chunk that starts at arena element `start` binds `keep` to offset `decayOffset(start, decayElements)` of it, so
 * the chunk with the border between them gets both.
 */
export function decayTable(keep: number): Float32Array {
  return new Float32Array(2 * CHUNK).fill(keep, 0, CHUNK).fill(1, CHUNK);
}

/** See `decayTable`. `decayElements`: how many decay, from the arena's start. */
export function decayOffset(start: number, decayElements: number): number {
  return Math.min(Math.max(start + CHUNK - decayElements, 0), CHUNK);
}
