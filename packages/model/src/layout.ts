/** Where each parameter lives in the flat parameter arena. */
import type { ModelConfig } from './config.ts';

export interface ParameterTensor {
  /** The Hugging Face name: `model.layers.0.self_attn.q_proj.weight`. */
  readonly name: string;
  /** As Hugging Face stores it: projections are `[out, in]`. */
  readonly shape: readonly number[];
  /** Elements from the start of the arena. */
  readonly offset: number;
  readonly elements: number;
}

/**
 * All tensors: the matrices of the decoder's blocks, then embedding and head, then vectors, each group in model order.
 *
 * So whatever an optimizer treats alike (matrices that Muon turns, tensors that decay, tensors with a second moment) is
 * one range of the arena. There is no padding between tensors: an arena is the plain concatenation of its tensors, and a
 * checker needs no more than shapes.
 */
export interface ParameterLayout {
  readonly tensors: readonly ParameterTensor[];
  /** The arena's size, N in `docs/protocol.md`. */
  readonly elements: number;
  /** What the blocks' matrices take: `count` blocks of `elements` each, all with the same shapes. */
  readonly blocks: { readonly count: number; readonly elements: number };
  /** Blocks, embedding and head: all but the vectors. */
  readonly matrixElements: number;
}

/** The layout of `config`; the charter fixes it, so updates carry no names. */
export function parameterLayout(config: ModelConfig): ParameterLayout {
  const { vocab, hidden, layers, heads, kvHeads, feedForward, tied } = config;
  const keyWidth = (hidden / heads) * kvHeads;
  const matrices: [string, number[]][] = [];
  const vectors: [string, number[]][] = [];
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `model.layers.${layer}`;
    matrices.push(
      [`${prefix}.self_attn.q_proj.weight`, [hidden, hidden]],
      [`${prefix}.self_attn.k_proj.weight`, [keyWidth, hidden]],
      [`${prefix}.self_attn.v_proj.weight`, [keyWidth, hidden]],
      [`${prefix}.self_attn.o_proj.weight`, [hidden, hidden]],
      [`${prefix}.mlp.gate_proj.weight`, [feedForward, hidden]],
      [`${prefix}.mlp.up_proj.weight`, [feedForward, hidden]],
      [`${prefix}.mlp.down_proj.weight`, [hidden, feedForward]],
    );
    vectors.push(
      [`${prefix}.input_layernorm.weight`, [hidden]],
      [`${prefix}.post_attention_layernorm.weight`, [hidden]],
    );
  }
  const tables: [string, number[]][] = [['model.embed_tokens.weight', [vocab, hidden]]];
  if (!tied) tables.push(['lm_head.weight', [vocab, hidden]]);
  vectors.push(['model.norm.weight', [hidden]]);

  let offset = 0;
  const place = ([name, shape]: [string, number[]]): ParameterTensor => {
    const elements = shape.reduce((size, dim) => size * dim, 1);
    const tensor = { name, shape, offset, elements };
    offset += elements;
    return tensor;
  };
  const tensors = matrices.map(place);
  const blocks = { count: layers, elements: offset / layers };
  tensors.push(...tables.map(place));
  const matrixElements = offset;
  tensors.push(...vectors.map(place));
  return { tensors, elements: offset, blocks, matrixElements };
}
