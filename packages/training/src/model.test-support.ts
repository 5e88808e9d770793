/** A model of a few thousand parameters, with rows to train on, for the tests of training and verification. */
import { below, SeededRandom, sha256, utf8 } from '@folkmoot/core';
import type { RowBatch } from '@folkmoot/data';
import {
  ADAMW,
  type AdamwRules,
  initialParameters,
  type ModelConfig,
  MUON,
  type MuonRules,
  parameterLayout,
  trainProgram,
} from '@folkmoot/model';

export const MODEL: ModelConfig = {
  ...{ vocab: 257, hidden: 16, layers: 1, heads: 2, kvHeads: 1, feedForward: 32, context: 16 },
  ...{ ropeTheta: 10_000, normEpsilon: '0.00001', tied: true },
};
export const ROWS = 4;
export const LAYOUT = parameterLayout(MODEL);
export const TRAIN = trainProgram(MODEL, ROWS);
export const OPTIMIZER: AdamwRules = {
  ...ADAMW,
  ...{ learningRate: '0.01', clipNorm: '0.5', warmupSteps: 4, joinerWarmupSteps: 2 },
};
export const MUON_OPTIMIZER: MuonRules = {
  ...MUON,
  ...{ learningRate: '0.01', clipNorm: '0.5', warmupSteps: 4, joinerWarmupSteps: 2 },
};

export function initial(seed = 'initial'): Float32Array {
  return initialParameters(MODEL, sha256(utf8(seed)));
}

/** Batches of text with a pattern to learn: each token follows from the one before, most of the time. */
export function batches(seed: string, steps: number): RowBatch[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: steps }, () => {
    const tokens = new Int32Array(ROWS * MODEL.context);
    const targets = new Int32Array(ROWS * MODEL.context);
    let token = 0;
    for (let i = 0; i < tokens.length; i++) {
      tokens[i] = token;
      token = below(random, 4) === 0 ? below(random, MODEL.vocab) : (token * 7 + 11) % 40;
      targets[i] = token;
    }
    return { tokens, targets };
  });
}
