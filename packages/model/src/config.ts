/** The shape of a Llama-style decoder. */
import { WorldError } from '@folkmoot/core';

/** All sizes are positive integers; `layout.ts` turns a config into tensors. */
export interface ModelConfig {
  /** V: tokens in the vocabulary, at most 65,536. */
  readonly vocab: number;
  /** C: width of the residual stream, a multiple of `heads`. */
  readonly hidden: number;
  readonly layers: number;
  /** H: query heads. The head size D = hidden / heads is even. */
  readonly heads: number;
  /** Key and value heads; divides `heads`. */
  readonly kvHeads: number;
  /** Width of the SwiGLU layer. */
  readonly feedForward: number;
  /** T: tokens in a training row; rotary tables reach this far. */
  readonly context: number;
  readonly ropeTheta: number;
  /** Decimal text, since configs travel in canonical JSON: `0.00001`. */
  readonly normEpsilon: string;
  /** Whether the output projection is the embedding transposed. */
  readonly tied: boolean;
}

/** Throws `model-config` with the first rule that `config` breaks. */
export function checkModelConfig(config: ModelConfig): void {
  const rules: [boolean, string][] = [
    [config.vocab >= 257 && config.vocab <= 65_536, 'vocab must be from 257 to 65,536'],
    [config.hidden % config.heads === 0, 'hidden must be a multiple of heads'],
    [(config.hidden / config.heads) % 2 === 0, 'the head size hidden / heads must be even'],
    [config.heads % config.kvHeads === 0, 'kvHeads must divide heads'],
    // Attention's products are then at least as wide as deep, which keeps their bits independent of the thread count.
    [config.context >= config.hidden / config.heads, 'context must be at least the head size hidden / heads'],
    [config.context >= 8 && config.context <= 4096, 'context must be from 8 to 4,096'],
  ];
  const broken = rules.find(([holds]) => !holds);
  if (broken)
    throw new WorldError('model-config', `This model config cannot be built: ${broken[1]}.`, {
      help: 'Change the config, or use a preset: tiny, small, medium.',
    });
}
