/** Model shapes that are known to train well. */
import type { ModelConfig } from './config.ts';

const common = { ropeTheta: 10_000, normEpsilon: '0.00001', tied: true } as const;

export type PresetName = 'tiny' | 'small' | 'medium';

/** Change a copy, not these: a charter holds the numbers themselves. */
export const PRESETS: Readonly<Record<PresetName, ModelConfig>> = {
  /** 0.4M parameters, grouped queries: for tests and first runs; learns visibly in a minute on one thread. */
  tiny: {
    ...common,
    vocab: 1024,
    hidden: 128,
    layers: 2,
    heads: 4,
    kvHeads: 2,
    feedForward: 256,
    context: 64,
  },
  /** 4.5M parameters: an evening on a laptop. */
  small: { ...common, vocab: 4096, hidden: 256, layers: 4, heads: 4, kvHeads: 4, feedForward: 768, context: 256 },
  /** 28M parameters, grouped queries: a small community's first useful model. */
  medium: { ...common, vocab: 8192, hidden: 512, layers: 8, heads: 8, kvHeads: 4, feedForward: 1408, context: 512 },
};
