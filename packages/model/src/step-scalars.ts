/** The scalars of an optimizer step: bias corrections, clipping, decay. No powers: products, step by step. */
import type { MuonRules, OptimizerRules } from './optimizer-rules.ts';

type Betas = Pick<OptimizerRules, 'beta1' | 'beta2'>;

/** β1 and β2 as the programs hold them. */
export const firstDecay = (rules: Betas) => Math.fround(Number(rules.beta1));
export const secondDecay = (rules: Betas) => Math.fround(Number(rules.beta2));

/** β1^t and β2^t after t steps, in double precision, by repeated multiplication. */
export interface BiasPowers {
  readonly first: number;
  readonly second: number;
}

/** Before the first step. */
export const INITIAL_POWERS: BiasPowers = { first: 1, second: 1 };

/** One step further. */
export function nextPowers(rules: Betas, { first, second }: BiasPowers): BiasPowers {
  return { first: first * firstDecay(rules), second: second * secondDecay(rules) };
}

/** The powers after `steps` steps: what a member computes who did not follow from the start. */
export function powersAfter(rules: Betas, steps: number): BiasPowers {
  let powers = INITIAL_POWERS;
  for (let step = 0; step < steps; step++) powers = nextPowers(rules, powers);
  return powers;
}

/** What the AdamW program takes besides tensors; all float32. */
export interface StepScalars {
  /** (1 − β1)·clip. */
  readonly gradientScale: number;
  /** (1 − β2)·clip². */
  readonly squareScale: number;
  /** learning rate · √(1 − β2^t) / (1 − β1^t). */
  readonly rate: number;
  /** epsilon · √(1 − β2^t). */
  readonly epsilon: number;
  /** 1 − learning rate · weight decay: for `decayTable`. */
  readonly keep: number;
}

/**
 * The scalars of one step, computed in double precision and rounded once.
 *
 * `powers`: after this step (β^t with t counted from 1). `clipScale`: what the gradient is multiplied by.
 * The bias corrections of Adam, m/(1−β1^t) and v/(1−β2^t), are moved to the rate and epsilon: the same step, fewer passes.
 */
export function stepScalars(
  rules: OptimizerRules,
  { powers, learningRate, clipScale }: { powers: BiasPowers; learningRate: number; clipScale: number },
): StepScalars {
  const rootSecond = Math.sqrt(1 - powers.second);
  return {
    gradientScale: Math.fround((1 - firstDecay(rules)) * clipScale),
    squareScale: Math.fround((1 - secondDecay(rules)) * clipScale * clipScale),
    rate: Math.fround((learningRate * rootSecond) / (1 - powers.first)),
    epsilon: Math.fround(Number(rules.epsilon) * rootSecond),
    keep: Math.fround(1 - learningRate * Number(rules.weightDecay)),
  };
}

/** What the Muon program takes besides tensors; all float32. */
export interface MuonScalars {
  /** (1 − momentum)·clip. */
  readonly gradientScale: number;
  /** learning rate · updateRms. */
  readonly rate: number;
  /** 1 − learning rate · weight decay. */
  readonly keep: number;
}

/** The scalars of one step on the matrices. A turned matrix has no memory of its length, so nothing needs a bias correction. */
export function muonScalars(
  rules: MuonRules,
  { learningRate, clipScale }: { learningRate: number; clipScale: number },
): MuonScalars {
  return {
    gradientScale: Math.fround((1 - momentumDecay(rules)) * clipScale),
    rate: Math.fround(learningRate * Number(rules.updateRms)),
    keep: Math.fround(1 - learningRate * Number(rules.weightDecay)),
  };
}

/** Muon's momentum as its program holds it. */
export const momentumDecay = (rules: Pick<MuonRules, 'momentum'>) => Math.fround(Number(rules.momentum));

/** min(1, clipNorm / √sumSquares), rounded to float32. `sumSquares`: of all chunks, added in order in double precision. */
export function clipScaleOf(rules: OptimizerRules, sumSquares: number): number {
  const norm = Math.sqrt(sumSquares);
  const limit = Number(rules.clipNorm);
  return norm > limit ? Math.fround(limit / norm) : 1;
}
