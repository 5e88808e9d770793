/**
 * Which updates point against the others: the second half of robust aggregation, see `aggregate.ts`.
 *
 * An honest update may agree little with the rest: in late rounds most of it is noise, and a member may have unusual data.
 * What it does not do is to point the other way. So agreeing less than others is no reason to be left out, and a cosine
 * near zero is none either.
 */
import { integerSqrt, lowerMedian } from '@folkmoot/core';
import { ChunkSum } from './chunk-sum.ts';
import type { Update } from './codec.ts';
import { innerProduct } from './update-algebra.ts';

const BILLION = 1_000_000_000n;
/** A cosine of −0.05: beyond what chance makes of updates that have nothing to do with each other, parts per billion. */
const MARGIN = BILLION / 20n;
/** Liars of very different strength could ask for many; in the last one all go that are too low. */
const PASSES = 6;

/** Which of `updates` (by position) point against the rest, and the sentence that says so. At least two are left. */
export function pointingAgainst(updates: readonly Update[]): [number, string][] {
  const against: [number, string][] = [];
  let present = [...updates.keys()];
  for (let pass = 1; pass <= PASSES && present.length >= 3; pass++) {
    const cosines = leaveOneOutCosines(present.map((i) => updates[i]!));
    const median = lowerMedian(cosines);
    const out = worstOf(cosines, median, pass === PASSES);
    if (out.length === 0) break;
    for (const at of out.slice(0, present.length - 2)) against.push([present[at]!, sentence(cosines[at]!, median)]);
    const gone = new Set(against.map(([i]) => i));
    present = present.filter((i) => !gone.has(i));
  }
  return against;
}

/**
 * Positions of the cosines that are too low, the lowest first: of those only the ones of at least half the lowest, unless
 * `all`. Who was copied with the sign turned points against its copy, and not any more when that is out.
 */
function worstOf(cosines: readonly bigint[], median: bigint, all: boolean): number[] {
  // Where most point against each other there is no common direction, and only who does so much more is left out.
  const usual = median < 0n ? (3n * median) / 2n : 0n;
  const low = [...cosines.keys()].filter((i) => cosines[i]! < usual - MARGIN);
  low.sort((a, b) => (cosines[a]! < cosines[b]! ? -1 : cosines[a]! > cosines[b]! ? 1 : a - b));
  return all ? low : low.filter((i) => 2n * cosines[i]! <= cosines[low[0]!]!);
}

function sentence(cosine: bigint, median: bigint): string {
  return `It points against the rest: cosine ${decimal(cosine)}, where half of the updates have ${decimal(median)} or more.`;
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
