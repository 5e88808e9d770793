/** Integer arithmetic that members must agree on. */

/** The largest integer whose square is at most `value` (Newton's method). Throws `RangeError` below zero. */
export function integerSqrt(value: bigint): bigint {
  if (value < 0n) throw new RangeError('no square root of a negative integer');
  if (value < 2n) return value;
  let x = 1n << BigInt((value.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (x + value / x) >> 1n;
    if (next >= x) return x;
    x = next;
  }
}

/** The lower median: element ⌊(n−1)/2⌋ in ascending order. Throws `RangeError` on an empty list. */
export function lowerMedian(values: readonly bigint[]): bigint {
  if (values.length === 0) throw new RangeError('no median of nothing');
  const sorted = [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return sorted[(sorted.length - 1) >> 1]!;
}

/** Whether `votes` is more than two thirds of `seats`. */
export function isTwoThirds(votes: number, seats: number): boolean {
  return 3 * votes > 2 * seats;
}
