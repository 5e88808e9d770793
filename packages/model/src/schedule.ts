/** The scalars of an optimizer step: rates, bias corrections, clipping. No powers: products, step by step. */

/** Structurally the charter's optimizer rules; decimals are text there. */
export interface AdamwRules {
  readonly learningRate: string;
  readonly beta1: string;
  readonly beta2: string;
  readonly epsilon: string;
  readonly weightDecay: string;
  /** Largest global norm of a step's gradient. */
  readonly clipNorm: string;
  readonly warmupSteps: number;
  readonly joinerWarmupSteps: number;
}

/** β1 and β2 as the programs hold them. */
export const firstDecay = (rules: AdamwRules) => Math.fround(Number(rules.beta1));
export const secondDecay = (rules: AdamwRules) => Math.fround(Number(rules.beta2));

/**
 * The learning rate: a linear rise to a constant.
 *
 * `globalStep` counts the run's inner steps before this one (rounds · H + steps in the round), `deviceStep` those since
 * the device's moments were zeros; both from 0. The slower of the two rises decides.
 */
export function learningRateAt(rules: AdamwRules, globalStep: number, deviceStep: number): number {
  const run = Math.min(1, (globalStep + 1) / rules.warmupSteps);
  const device = Math.min(1, (deviceStep + 1) / rules.joinerWarmupSteps);
  return Number(rules.learningRate) * Math.min(run, device);
}

/** β1^t and β2^t after t steps, in double precision, by repeated multiplication. */
export interface BiasPowers {
  readonly first: number;
  readonly second: number;
}

/** Before the first step. */
export const INITIAL_POWERS: BiasPowers = { first: 1, second: 1 };

/** One step further. */
export function nextPowers(rules: AdamwRules, { first, second }: BiasPowers): BiasPowers {
  return { first: first * firstDecay(rules), second: second * secondDecay(rules) };
}

/** The powers after `steps` steps: what a member computes who did not follow from the start. */
export function powersAfter(rules: AdamwRules, steps: number): BiasPowers {
  let powers = INITIAL_POWERS;
  for (let step = 0; step < steps; step++) powers = nextPowers(rules, powers);
  return powers;
}

/** What the optimizer program takes besides tensors; all float32. */
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
  rules: AdamwRules,
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

/** min(1, clipNorm / √sumSquares), rounded to float32. `sumSquares`: of all chunks, added in order in double precision. */
export function clipScaleOf(rules: AdamwRules, sumSquares: number): number {
  const norm = Math.sqrt(sumSquares);
  const limit = Number(rules.clipNorm);
  return norm > limit ? Math.fround(limit / norm) : 1;
}
