/** The programs of a model: train, evaluate, logits. Their bytes depend on the config alone, so ids are agreed on. */
import {
  compile,
  crossEntropy,
  crossEntropyWithZ,
  Graph,
  gradients,
  type MemoryPlan,
  type Program,
  rows as pickRows,
  reshape,
  sum,
  tokenLosses,
  type Value,
  withMemoryPlan,
} from '@folkmoot/tensor';
import { checkModelConfig, type ModelConfig } from './config.ts';
import { decode, head, type Parameters } from './decoder.ts';
import { parameterLayout } from './layout.ts';

/** What the train program calls the gradient of a parameter. */
export function gradientName(parameter: string): string {
  return `grad:${parameter}`;
}

export interface TrainOptions {
  /** The charter's weight of the z-loss, default `0`: gradients are those of loss + zLoss · mean log² Σ exp(logits). */
  readonly zLoss?: string;
  /** The program of a run is the `plain` one. Another plan gives the same bits with less memory. */
  readonly plan?: MemoryPlan;
}

/**
 * Loss and gradients of one batch of `rows` rows.
 *
 * Inputs: every parameter by its name and shape (`parameterLayout`), `tokens` and `targets` int32 `[rows·T]`.
 * Outputs: `loss` float32 [], the mean cross-entropy over all targets in nats per token; `grad:NAME` in the shape of NAME.
 */
export function trainProgram(
  config: ModelConfig,
  rows: number,
  { zLoss = '0', plan = 'plain' }: TrainOptions = {},
): Program {
  const { graph, parameters } = begin(config);
  const tokens = graph.input('tokens', 'int32', [rows * config.context]);
  const targets = graph.input('targets', 'int32', [rows * config.context]);
  const logits = head(config, parameters, decode(config, parameters, tokens));
  const { loss, objective } = lossOf(logits, targets, Number(zLoss));
  graph.output('loss', loss);
  const forward = graph.nodes.length;
  const slopes = gradients(objective, [...parameters.values()]);
  for (const [i, name] of [...parameters.keys()].entries()) graph.output(gradientName(name), slopes[i]!);
  return compile(withMemoryPlan(graph, forward, plan), 'train');
}

function lossOf(logits: Value, targets: Value, weight: number): { loss: Value; objective: Value } {
  if (weight > 0) return crossEntropyWithZ(logits, targets, { weight });
  const loss = crossEntropy(logits, targets);
  return { loss, objective: loss };
}

/**
 * Losses of `rows` rows, for evaluation and scoring.
 *
 * Inputs as of `trainProgram`. Output: `nll` float32 `[rows]`, the sum over a row's T targets, in nats.
 */
export function evaluateProgram(config: ModelConfig, rows: number): Program {
  const { graph, parameters } = begin(config);
  const tokens = graph.input('tokens', 'int32', [rows * config.context]);
  const targets = graph.input('targets', 'int32', [rows * config.context]);
  const losses = tokenLosses(head(config, parameters, decode(config, parameters, tokens)), targets); // [B·T, 1]
  const byRow = sum(reshape(losses, { shape: [rows, config.context] }), { axes: [1] }); // [B, 1]
  graph.output('nll', reshape(byRow, { shape: [rows] }));
  return compile(graph, 'evaluate');
}

/**
 * What comes after one position of one row, for generation.
 *
 * Inputs: the parameters, `tokens` int32 `[T]` (what stands right of the position is not looked at: pad with any token)
 * and `position` int32 `[1]`. Output: `logits` float32 `[V]`.
 */
export function logitsProgram(config: ModelConfig): Program {
  const { graph, parameters } = begin(config);
  const tokens = graph.input('tokens', 'int32', [config.context]);
  const position = graph.input('position', 'int32', [1]);
  const hidden = pickRows(decode(config, parameters, tokens), position); // [1, C]
  graph.output('logits', reshape(head(config, parameters, hidden), { shape: [config.vocab] }));
  return compile(graph, 'logits');
}

function begin(config: ModelConfig): { graph: Graph; parameters: Parameters } {
  checkModelConfig(config);
  const graph = new Graph();
  const { tensors } = parameterLayout(config);
  return {
    graph,
    parameters: new Map(tensors.map(({ name, shape }) => [name, graph.input(name, 'float32', shape)])),
  };
}
