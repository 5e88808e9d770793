/** Intervals in which the true value lies in nineteen of twenty cases. */

export interface Mean {
  readonly mean: number;
  /** Half of the interval. */
  readonly margin: number;
}

/** Two-sided 5 % points of Student's t for 1 to 11 degrees of freedom; beyond, two. */
const STUDENT = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2];

/** The mean of independent runs. */
export function meanOf(values: readonly number[]): Mean {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length < 2) return { mean, margin: Number.POSITIVE_INFINITY };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, margin: (STUDENT[values.length - 2] ?? 2) * Math.sqrt(variance / values.length) };
}

/** A share that was counted: Wilson's interval. */
export function shareOf(found: number, of: number): { low: number; high: number } {
  const z = 1.96;
  const share = found / of;
  const middle = (share + z ** 2 / (2 * of)) / (1 + z ** 2 / of);
  const half = (z / (1 + z ** 2 / of)) * Math.sqrt((share * (1 - share)) / of + z ** 2 / (4 * of ** 2));
  return { low: Math.max(0, middle - half), high: middle + half };
}
