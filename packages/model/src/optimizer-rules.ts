/** The charter's optimizer rules, and what follows from them for a layout. Decimals are text, as in the charter. */
import type { ParameterLayout } from './layout.ts';

/** What becomes of the learning rate after the warm-up; see `learningRateAt`. Steps are inner steps of the run, from 0. */
export type Schedule =
  | { readonly kind: 'constant' }
  /** Half a cosine down to `finalRate` (a part of the learning rate, above 0), reached at step `steps`. */
  | { readonly kind: 'cosine'; readonly steps: number; readonly finalRate: string }
  /** Warm-up, stable, decay: constant until `decaySteps` before step `steps`, then down to `finalRate`. */
  | {
      readonly kind: 'wsd';
      readonly steps: number;
      readonly decaySteps: number;
      readonly finalRate: string;
      /** `linear`, or 1 − √x (Hägele et al. 2024), which falls fast at first. */
      readonly shape: 'linear' | 'sqrt';
    };

/** AdamW's rules, and those that hold for every optimizer. */
interface SharedRules {
  readonly learningRate: string;
  readonly beta1: string;
  readonly beta2: string;
  readonly epsilon: string;
  readonly weightDecay: string;
  /** Whether embedding and head decay as the blocks' matrices do; vectors never do. */
  readonly decayEmbeddings: boolean;
  /** Largest global norm of a step's gradient. */
  readonly clipNorm: string;
  /** Weight of the mean of log² Σ exp(logits) in what is minimised; `0` for none. */
  readonly zLoss: string;
  readonly warmupSteps: number;
  readonly joinerWarmupSteps: number;
  readonly schedule: Schedule;
}

export interface AdamwRules extends SharedRules {
  readonly kind: 'adamw';
}

/** Muon on the matrices of the blocks, AdamW on everything else. */
export interface MuonRules extends SharedRules {
  readonly kind: 'muon';
  /** Of the matrices' momentum. */
  readonly momentum: string;
  /**
   * Root mean square of a matrix's change, in learning rates. About 0.2, what AdamW's changes have, lets AdamW's learning
   * rate and weight decay carry over (Liu et al. 2025).
   */
  readonly updateRms: string;
}

export type OptimizerRules = AdamwRules | MuonRules;

/** AdamW with the values of most small language models. Change a copy: a charter holds the values themselves. */
export const ADAMW: AdamwRules = {
  kind: 'adamw',
  learningRate: '0.001',
  beta1: '0.9',
  beta2: '0.95',
  epsilon: '0.00000001',
  weightDecay: '0.1',
  decayEmbeddings: true,
  clipNorm: '1',
  zLoss: '0',
  warmupSteps: 30,
  joinerWarmupSteps: 4,
  schedule: { kind: 'constant' },
};

/** Muon with the values of its authors, and AdamW as above for the rest. */
export const MUON: MuonRules = { ...ADAMW, kind: 'muon', momentum: '0.95', updateRms: '0.2' };

/** Elements of a state's moments: `first` is N; `second` counts from the arena's end, for Muon's matrices have none. */
export interface MomentSizes {
  readonly first: number;
  readonly second: number;
}

export function momentSizes(rules: Pick<OptimizerRules, 'kind'>, layout: ParameterLayout): MomentSizes {
  return { first: layout.elements, second: layout.elements - muonElements(rules, layout) };
}

/** Elements that Muon changes, from the arena's start. */
export function muonElements({ kind }: Pick<OptimizerRules, 'kind'>, { blocks }: ParameterLayout): number {
  return kind === 'muon' ? blocks.count * blocks.elements : 0;
}

/** Elements that decay, from the arena's start. */
export function decayElements({ decayEmbeddings }: OptimizerRules, layout: ParameterLayout): number {
  return decayEmbeddings ? layout.matrixElements : layout.blocks.count * layout.blocks.elements;
}
