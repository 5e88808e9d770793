/**
 * Gradients of micro-batches, added up: a batch whose activations do not fit into memory is worked on in parts.
 *
 * Floats that are added in another order are other floats, so the charter says how large a micro-batch is, and the sum is a
 * program of + and × alone, which all engines round alike.
 */
import { add, compile, Graph, multiply, type Program } from '@folkmoot/tensor';
import { CHUNK } from './optimizer.ts';

/**
 * Adds one micro-batch's gradient to the sum of those before it, chunk by chunk as AdamW.
 *
 * Inputs: `sum`, `g` float32 `[chunk]`, `factor` float32 [] (see `meanFactor`). Output: `newSum` float32 `[chunk]`,
 * (sum + g) · factor, each operation rounded to float32.
 */
export function accumulateProgram(chunk = CHUNK): Program {
  const graph = new Graph();
  const [sum, g] = ['sum', 'g'].map((name) => graph.input(name, 'float32', [chunk]));
  const factor = graph.input('factor', 'float32', []);
  graph.output('newSum', multiply(add(sum!, g!), factor));
  return compile(graph, 'accumulate');
}

/**
 * `factor` when micro-batch `index` (from 1; number 0 is the sum as it is) of `count` is added: 1, which changes no bit,
 * and with the last one 1 / count, which makes the sum a mean.
 */
export function meanFactor(index: number, count: number): number {
  return index === count - 1 ? Math.fround(1 / count) : 1;
}

/** Micro-batches in one inner step. `microRows`: default all rows, at once. */
export function microBatches({ batchRows, microRows = batchRows }: { batchRows: number; microRows?: number }): number {
  return batchRows / microRows;
}
