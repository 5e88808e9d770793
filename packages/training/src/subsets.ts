/**
 * A set of places as one integer: its rank among all sets of that size (the combinatorial number system, Pascal 1887;
 * enumerative coding, Cover 1973). No code for sets that are all as likely is shorter: 64 of 4096 take 7.36 bits a place
 * instead of 12, every set has one code, and all codes have the same length.
 */
import { assert } from '@folkmoot/core';

/** Largest sets: the table of binomials stays below 40 MB. */
export const MAX_SUBSET = 128;

/** `columns[k][n]` = C(n, k), for n from 0 to as far as somebody asked. */
const columns: bigint[][] = [];

/** C(n, k). `k` at most `MAX_SUBSET`. */
export function binomial(n: number, k: number): bigint {
  assert(k >= 0 && k <= MAX_SUBSET, `sets have at most ${MAX_SUBSET} members`);
  return n < 0 ? 0n : column(k, n)[n];
}

/** Bits of a rank of `k` places of `n`: none where there is only one set. */
export function rankBits(n: number, k: number): number {
  const largest = binomial(n, k) - 1n;
  return largest === 0n ? 0 : largest.toString(2).length;
}

/** The rank of ascending `places`: Σ C(places[j], j + 1), in [0, C(n, places.length)) where all are below n. */
export function rankOf(places: ArrayLike<number>): bigint {
  let rank = 0n;
  for (let j = 0; j < places.length; j++) rank += binomial(places[j], j + 1);
  return rank;
}

/** Writes the `k` places below `n` of `rank`, ascending, to `into` from `at`. `rank` below C(n, k). */
export function placesOf(rank: bigint, n: number, k: number, into: Uint16Array, at: number): void {
  assert(rank < binomial(n, k), 'a rank is below the number of sets');
  let left = rank;
  let limit = n;
  for (let j = k; j > 0; j--) {
    const sizes = column(j, limit);
    // The largest place with C(place, j) ≤ left.
    let place = j - 1;
    for (let above = limit; above - place > 1; ) {
      const middle = (place + above) >>> 1;
      if (sizes[middle] <= left) place = middle;
      else above = middle;
    }
    into[at + j - 1] = place;
    left -= sizes[place];
    limit = place;
  }
}

/** The column of `k`, at least up to `n`: by Pascal's rule from the one before. */
function column(k: number, n: number): bigint[] {
  const sizes = (columns[k] ??= [k === 0 ? 1n : 0n]);
  if (sizes.length > n) return sizes;
  const before = k === 0 ? undefined : column(k - 1, n - 1);
  for (let row = sizes.length; row <= n; row++) sizes.push(before ? sizes[row - 1] + before[row - 1] : 1n);
  return sizes;
}
