/** Which updates point away from the others: the second half of robust aggregation, see `aggregate.ts`. */
import { integerSqrt, lowerMedian } from '@folkmoot/core';
import type { Update } from './codec.ts';
import { innerProduct } from './update-algebra.ts';

const BILLION = 1_000_000_000n;

/** Which of `updates` (by position) point away from the rest, and the sentence that says so. None of one or two. */
export function pointingAway(updates: readonly Update[]): [number, string][] {
  if (updates.length < 3) return [];
  const cosines = leaveOneOutCosines(updates);
  const median = lowerMedian(cosines);
  const limit = 2n * median - (median < 0n ? -median : median);
  return cosines.flatMap((cosine, i): [number, string][] =>
    2n * cosine < limit
      ? [
          [
            i,
            `It points away from the rest: cosine ${decimal(cosine)}, where half of the updates have ${decimal(median)} or more.`,
          ],
        ]
      : [],
  );
}

/** Cosine of each update with the sum of all others, in parts per billion; 0 where that sum is nothing. */
export function leaveOneOutCosines(updates: readonly Update[]): bigint[] {
  const products = gram(updates);
  const rows = products.map((row) => row.reduce((sum, product) => sum + product, 0n));
  const all = rows.reduce((sum, row) => sum + row, 0n);
  return updates.map((_, i) => {
    const own = products[i][i];
    const withRest = rows[i] - own;
    const rest = all - 2n * rows[i] + own;
    const scale = integerSqrt(own * rest);
    return scale === 0n ? 0n : (withRest * BILLION) / scale;
  });
}

/** Inner products of all pairs. */
function gram(updates: readonly Update[]): bigint[][] {
  const products = updates.map(() => new Array<bigint>(updates.length).fill(0n));
  for (let i = 0; i < updates.length; i++)
    for (let j = 0; j <= i; j++) products[i][j] = products[j][i] = innerProduct(updates[i], updates[j]);
  return products;
}

const decimal = (billionths: bigint) => (Number(billionths) / 1e9).toFixed(3);
