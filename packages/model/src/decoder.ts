/**
 * A Llama-style decoder (Touvron et al. 2023) in the graph language.
 *
 * B rows of T tokens travel as N = B·T tokens; C hidden, H heads, G key heads, D = C/H, F feed-forward, V vocabulary.
 */
import {
  add,
  causalAttention,
  chunkedAttention,
  embedding,
  type Graph,
  linear,
  reshape,
  rmsNorm,
  rotary,
  swiglu,
  transpose,
  type Value,
} from '@folkmoot/tensor';
import type { ModelConfig } from './config.ts';
import { rotaryTables } from './rotary.ts';

/** The parameters of a model by their Hugging Face names. */
export type Parameters = ReadonlyMap<string, Value>;

/** What the last norm makes of `tokens` (int32 `[N]`, N a multiple of T): `[N, C]`. */
export function decode(config: ModelConfig, parameters: Parameters, tokens: Value): Value {
  const tables = rotaryValues(config, tokens.graph);
  const epsilon = Number(config.normEpsilon);
  const norm = (x: Value, name: string) => rmsNorm(x, parameters.get(`${name}.weight`)!, { epsilon });

  let x = embedding(parameters.get('model.embed_tokens.weight')!, tokens); // [N, C]
  x.graph.checkpoint(x);
  for (let layer = 0; layer < config.layers; layer++) {
    const name = `model.layers.${layer}`;
    const project = (y: Value, projection: string) => linear(y, parameters.get(`${name}.${projection}_proj.weight`)!);
    x = add(x, attention(config, norm(x, `${name}.input_layernorm`), project, tables));
    x = add(x, feedForward(norm(x, `${name}.post_attention_layernorm`), project));
    x.graph.checkpoint(x);
  }
  return norm(x, 'model.norm');
}

/** Logits of hidden states: `[N, C]` gives `[N, V]`. */
export function head(config: ModelConfig, parameters: Parameters, hidden: Value): Value {
  return linear(hidden, parameters.get(config.tied ? 'model.embed_tokens.weight' : 'lm_head.weight')!);
}

type Project = (x: Value, projection: string) => Value;

function attention(config: ModelConfig, x: Value, project: Project, { cos, sin }: RotaryValues): Value {
  const { hidden, heads, kvHeads, context } = config;
  const rows = x.shape[0]! / context;
  const size = hidden / heads;
  const split = (y: Value, count: number) =>
    transpose(reshape(y, { shape: [rows, context, count, size] }), { order: [0, 2, 1, 3] });

  const q = rotary(split(project(x, 'self_attn.q'), heads), cos, sin); // [B, H, T, D]
  const k = rotary(split(project(x, 'self_attn.k'), kvHeads), cos, sin); // [B, G, T, D]
  const v = split(project(x, 'self_attn.v'), kvHeads); // [B, G, T, D]
  const mixed = attend(q, k, v); // [B, H, T, D]
  const merged = reshape(transpose(mixed, { order: [0, 2, 1, 3] }), { shape: x.shape }); // [N, C]
  return project(merged, 'self_attn.o');
}

/**
 * Above 512 tokens in blocks of queries, where a block fits: half the time and a fifth of the memory of the plain one at
 * 4,096. Heads above 128 would cost the same bits at any number of threads.
 */
function attend(q: Value, k: Value, v: Value): Value {
  const [, , context, size] = q.shape as [number, number, number, number];
  const scale = 1 / Math.sqrt(size);
  const block = context > 512 && size <= 128 ? [256, 128, 64].find((length) => context % length === 0) : undefined;
  return block === undefined ? causalAttention(q, k, v, { scale }) : chunkedAttention(q, k, v, { scale, block });
}

function feedForward(x: Value, project: Project): Value {
  const inner = swiglu(project(x, 'mlp.gate'), project(x, 'mlp.up')); // [N, F]
  return project(inner, 'mlp.down');
}

type RotaryValues = { cos: Value; sin: Value };

function rotaryValues(config: ModelConfig, graph: Graph): RotaryValues {
  const { cos, sin, half } = rotaryTables(config);
  const shape = [config.context, half];
  return { cos: graph.constant(cos, shape), sin: graph.constant(sin, shape) };
}
