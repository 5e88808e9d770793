/**
 * AdamW (Loshchilov and Hutter 2019) as a program over chunks of the arena.
 *
 * One small program serves every model: all buffers (parameters, moments, gradients) are allocated with
 * `paddedElements(N)` elements, a multiple of CHUNK, and the program runs once per chunk. The padding is zero and stays
 * zero. A chunk is small enough for the processor's cache, which is where the speed comes from: the same nodes over the
 * whole arena would fetch it from memory a dozen times. On a GPU, where starting a run is what takes time, a chunk is all
 * that there is (`chunkFor`); the formulas, and the bits where operations are rounded alike, are the same.
 *
 * The program uses + − × ÷ and sqrt alone, each of which IEEE 754 rounds in one way, so all engines give the same bits.
 */
import {
  add,
  compile,
  divide,
  type EngineMemory,
  expand,
  Graph,
  join,
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

/** Elements of one run where buffers of `padded` elements (whole CHUNKs) lie in `memory`. */
export function chunkFor(memory: EngineMemory, padded: number): number {
  return memory === 'device' ? padded : CHUNK;
}

/** The size of a buffer for an arena of `elements`: rounded up to whole chunks. */
export function paddedElements(elements: number): number {
  return Math.ceil(elements / CHUNK) * CHUNK;
}

/**
 * One AdamW step of one chunk of `chunk` elements.
 *
 * Inputs: `p`, `m`, `v`, `g` (parameters, moments, gradient) and `keep` (what weight decay leaves of each parameter,
 * see `decayTable`) float32 `[chunk]`; `gradientScale`, `squareScale`, `rate`, `epsilon` float32 [] (see `stepScalars`).
 * Outputs: `newP`, `newM`, `newV` float32 `[chunk]`:
 *
 *     newM = beta1·m + gradientScale·g
 *     newV = beta2·v + squareScale·(g·g)
 *     newP = keep·p − rate·newM / (√newV + epsilon)
 *
 * in which each operation is rounded to float32, in the order of the formulas; products before sums.
 */
export function adamwProgram(rules: Pick<OptimizerRules, 'beta1' | 'beta2'>, chunk = CHUNK): Program {
  const graph = new Graph();
  const [p, m, v, g, keep] = ['p', 'm', 'v', 'g', 'keep'].map((name) => graph.input(name, 'float32', [chunk]));
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
 * The squared norm of one chunk of the gradient: `g` float32 `[chunk]` gives `sumSquares` float32 [].
 *
 * Rows are summed first, then their sums, so that the number of threads does not change the order. The host adds the
 * chunks' sums in double precision, in their order.
 */
export function normProgram(chunk = CHUNK): Program {
  const graph = new Graph();
  const g = graph.input('g', 'float32', [chunk]);
  const byRow = sumOfSquares(reshape(g, { shape: [256, chunk / 256] }), { axes: [1] }); // [256, 1]
  graph.output('sumSquares', reshape(sum(byRow, { axes: [0] }), { shape: [] }));
  return compile(graph, 'norm');
}

/**
 * What `keep` views: `chunk` times `keep` (what decays), then `chunk` times 1 (what does not).
 *
 * The chunk that starts at arena element `start` binds `keep` to offset `decayOffset(start, decayElements)` of it, so
 * the chunk with the border between them gets both.
 */
export function decayTable(keep: number, chunk = CHUNK): Float32Array {
  return new Float32Array(2 * chunk).fill(keep, 0, chunk).fill(1, chunk);
}

/** See `decayTable`. `decayElements`: how many decay, from the arena's start. */
export function decayOffset(start: number, decayElements: number, chunk = CHUNK): number {
  return Math.min(Math.max(start + chunk - decayElements, 0), chunk);
}

/** `decayTable` made by the engine: `keep` float32 [] gives `table` float32 `[2·chunk]`. For memory that is far away. */
export function decayTableProgram(chunk: number): Program {
  const graph = new Graph();
  const keep = expand(graph.input('keep', 'float32', []), { shape: [chunk] });
  graph.output('table', join(keep, expand(graph.scalar(1), { shape: [chunk] }), { axis: 0 }));
  return compile(graph, 'decay-table');
}
