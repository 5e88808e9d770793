/** Which updates point away from the others: the second half of robust aggregation, see `aggregate.ts`. */
import { integerSqrt, lowerMedian } from '@folkmoot/core';
import { ChunkSum } from './chunk-sum.ts';
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

/**
 * Cosine of each update with the sum of all others, in parts per billion; 0 where that sum is nothing.
 *
 * From the inner products p of each update u with the sum T of all: u·(T − u) = p − |u|², and |T − u|² = |T|² − 2p + |u|²,
 * where |T|² is the sum of all p. So time grows with the number of updates, not with that of their pairs.
 */
export function leaveOneOutCosines(updates: readonly Update[]): bigint[] {
  const products = productsWithSum(updates);
  const all = products.reduce((sum, product) => sum + product, 0n);
  return updates.map((update, i) => {
    const own = innerProduct(update, update);
    const rest = all - 2n * products[i] + own;
    const scale = integerSqrt(own * rest);
    return scale === 0n ? 0n : ((products[i] - own) * BILLION) / scale;
  });
}

/** Σ over the parameters of each update times the sum of all, in UNIT²: chunk by chunk, so that no arena is held. */
function productsWithSum(updates: readonly Update[]): bigint[] {
  const products = new Array<bigint>(updates.length).fill(0n);
  const sum = new ChunkSum();
  const { groups } = updates[0].chunks;
  for (let group = 0; group + 1 < groups.length; group++) {
    for (let chunk = groups[group]; chunk < groups[group + 1]; chunk++) {
      sum.of(updates, group, chunk);
      for (let i = 0; i < updates.length; i++) products[i] += sum.times(updates[i], group, chunk);
    }
  }
  return products;
}

const decimal = (billionths: bigint) => (Number(billionths) / 1e9).toFixed(3);
