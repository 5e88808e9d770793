/** The matrix products of one training step of a decoder, by shape, and one of them as an ONNX program. */
import type { ModelConfig } from '@folkmoot/model';
import { compile, Graph, matrixProduct } from '@folkmoot/tensor';
import type { Product } from './engines.ts';

export interface Counted extends Product {
  readonly name: string;
  readonly count: number;
}

/** `rows` rows: every linear layer forward, its two gradients, and the six products of attention. */
export function productsOf(config: ModelConfig, rows: number): Counted[] {
  const { hidden, layers, heads, kvHeads, feedForward, vocab, context } = config;
  const size = hidden / heads;
  const tokens = rows * context;
  const tall = (heads / kvHeads) * context;
  const scores = { m: tall, n: context, k: size, count: 2 * layers * rows * kvHeads };
  const mixes = { m: tall, n: size, k: context, count: 2 * layers * rows * kvHeads };
  const sums = { m: context, n: size, k: tall, count: 2 * layers * rows * kvHeads };
  return [
    ...linear('q, o', hidden, hidden, 2 * layers, tokens),
    ...linear('k, v', hidden, kvHeads * size, 2 * layers, tokens),
    ...linear('gate, up', hidden, feedForward, 2 * layers, tokens),
    ...linear('down', feedForward, hidden, layers, tokens),
    ...linear('head', hidden, vocab, 1, tokens),
    { name: 'scores, dp', transA: false, transB: true, ...scores },
    { name: 'mixed, dq', transA: false, transB: false, ...mixes },
    { name: 'dk, dv', transA: true, transB: false, ...sums },
  ];
}

function linear(name: string, from: number, to: number, count: number, tokens: number): Counted[] {
  return [
    { name: `${name} forward`, m: tokens, n: to, k: from, transA: false, transB: true, count },
    { name: `${name} dx`, m: tokens, n: from, k: to, transA: false, transB: false, count },
    { name: `${name} dw`, m: to, n: from, k: tokens, transA: true, transB: false, count },
  ];
}

export function gemmProgram({ m, n, k, transA, transB }: Product): Uint8Array {
  const graph = new Graph();
  const a = graph.input('a', 'float32', transA ? [k, m] : [m, k]);
  const b = graph.input('b', 'float32', transB ? [n, k] : [k, n]);
  graph.output('c', matrixProduct(a, b, { transA, transB }));
  return compile(graph, 'gemm').bytes;
}
