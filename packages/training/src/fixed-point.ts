/** Integers that stand for changes of parameters, so that sums, norms and means are the same on every machine. */

/** One step of the fixed-point scale, as a change of a parameter: about 9.3e-10. A power of two, so exact in any float. */
export const UNIT = 2 ** -30;
/** Largest magnitude of a value, in UNITs: a change just under 2. A larger change in one round is no training. */
export const MAX_VALUE = 2 ** 31 - 1;

/** `value` in UNITs: rounded, halves away from zero, at most `MAX_VALUE` either way. */
export function toUnits(value: number): number {
  return Math.max(-MAX_VALUE, Math.min(MAX_VALUE, roundHalfAway(value / UNIT)));
}

/** The nearest integer, halves away from zero. Never −0. */
export function roundHalfAway(value: number): number {
  return value < 0 ? 0 - Math.floor(0.5 - value) : Math.floor(value + 0.5);
}

/** `numerator / denominator` as `roundHalfAway` would have it, without a float. `denominator` above zero. */
export function divideHalfAway(numerator: bigint, denominator: bigint): bigint {
  const magnitude = numerator < 0n ? -numerator : numerator;
  const quotient = (2n * magnitude + denominator) / (2n * denominator);
  return numerator < 0n ? -quotient : quotient;
}
