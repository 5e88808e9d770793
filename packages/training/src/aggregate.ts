/**
 * From the updates of a round to one change, in integers, so that order, engine and device cannot matter.
 *
 * In order of their keys, updates are
 * 1. dropped where they are all zeros: they say nothing, and would pull the median down;
 * 2. clipped: one whose norm exceeds T, the lower median of the norms or the caller's floor if that is larger, is scaled
 *    by T / norm;
 * 3. from three on, dropped where they point against the rest: where the leave-one-out cosine (with the sum of all
 *    others, clipped) is below −0.05. Where the lower median of the cosines is negative there is no common direction,
 *    and the limit is lower by one and a half times that median. The worst go first, down to half of the lowest cosine,
 *    and the others are measured again without them, in six passes at most;
 * 4. averaged: each parameter by the number of updates that have a value for it.
 *
 * One update is taken as it is. Of two, the larger is clipped to the smaller and neither is dropped: nobody can tell
 * which one is odd. Of three, at most one is dropped, as the median always stays.
 *
 * Norms are integer square roots (rounded down), cosines parts per billion (rounded towards zero), clipping and means are
 * rounded with halves away from zero.
 */
import { assert, bytesOf, type Hash, hashOf, idOf, integerSqrt, lowerMedian, sha256 } from '@folkmoot/core';
import { ChunkSum } from './chunk-sum.ts';
import type { Update } from './codec.ts';
import { pointingAgainst } from './direction.ts';
import { UNIT } from './fixed-point.ts';
import { innerProduct, scaled } from './update-algebra.ts';

/** The charter bounds a round's trainers; that many values below 2^31 have an exact sum in double precision (2^41). */
export const MAX_UPDATES = 1024;

/** An update under the name by which it is ordered: unique, the same for everybody. */
export interface Submission {
  readonly key: string;
  readonly update: Update;
}

export type Fate =
  /** `clipPpm`: what is left of the update after clipping; 1,000,000 is all of it. */
  | { readonly key: string; readonly kept: true; readonly clipPpm: number }
  | { readonly key: string; readonly kept: false; readonly reason: string };

export interface Aggregate {
  /** Mean change of each parameter, in UNITs of base − next. All zeros where nothing was kept. */
  readonly values: Int32Array;
  /** One for each submission, in order of keys. */
  readonly fates: readonly Fate[];
  /** T, in UNITs: half of it is a good floor for the next round. 0 where nothing was kept. */
  readonly clipNorm: bigint;
}

/**
 * Aggregates the updates of a round. `elements`: N. `normFloor`, in UNITs: the clip norm never falls below it.
 *
 * Time grows with the number of updates and the values that they carry.
 */
export function aggregate(
  submissions: readonly Submission[],
  elements: number,
  options: { normFloor?: bigint } = {},
): Aggregate {
  assert(submissions.length <= MAX_UPDATES, `at most ${MAX_UPDATES} updates in a round`);
  const ordered = [...submissions].sort((a, b) => (a.key < b.key ? -1 : 1));
  assert(new Set(ordered.map(({ key }) => key)).size === ordered.length, 'keys of updates are unique');

  const reasons = new Map<string, string>();
  const norms = ordered.map(({ update }) => integerSqrt(innerProduct(update, update)));
  for (const [i, { key }] of ordered.entries()) if (norms[i] === 0n) reasons.set(key, 'It changes nothing.');
  const speaking = ordered.filter((_, i) => norms[i] !== 0n);
  const heard = norms.filter((norm) => norm !== 0n);
  const clipNorm = heard.length === 0 ? 0n : larger(lowerMedian(heard), options.normFloor ?? 0n);
  const clipped = speaking.map(({ update }, i) => (heard[i] > clipNorm ? scaled(update, clipNorm, heard[i]) : update));
  for (const [i, reason] of pointingAgainst(clipped)) reasons.set(speaking[i].key, reason);

  const kept = clipped.filter((_, i) => !reasons.has(speaking[i].key));
  const fates = ordered.map(({ key }, i): Fate => {
    const reason = reasons.get(key);
    return reason === undefined
      ? { key, kept: true, clipPpm: norms[i] > clipNorm ? Number((clipNorm * 1_000_000n) / norms[i]) : 1_000_000 }
      : { key, kept: false, reason };
  });
  return { values: meanOverSenders(kept, elements), fates, clipNorm };
}

/** The aggregate's name: which updates were kept, and what came of them. */
export function aggregateId(aggregate: Aggregate): Hash {
  const kept = aggregate.fates.filter((fate) => fate.kept).map((fate) => fate.key);
  return hashOf('aggregate', idOf(kept), sha256(bytesOf(aggregate.values)));
}

/** The next base: base − α · aggregate, in double precision, rounded once to float32. `outerRate` is α, as text. */
export function applyAggregate(base: Float32Array, aggregate: Aggregate, outerRate: string): Float32Array {
  assert(base.length === aggregate.values.length, 'the aggregate is one of this base');
  const step = Number(outerRate) * UNIT;
  const next = new Float32Array(base.length);
  for (let i = 0; i < next.length; i++) next[i] = base[i] - step * aggregate.values[i];
  return next;
}

function meanOverSenders(updates: readonly Update[], elements: number): Int32Array {
  const values = new Int32Array(elements);
  if (updates.length === 0) return values;
  const { chunks } = updates[0];
  const sum = new ChunkSum();
  for (let group = 0; group + 1 < chunks.groups.length; group++) {
    for (let chunk = chunks.groups[group]; chunk < chunks.groups[group + 1]; chunk++) {
      sum.of(updates, group, chunk);
      const start = chunks.starts[chunk];
      for (let i = 0; i < chunks.lengths[chunk]; i++)
        if (sum.senders[i] > 0) values[start + i] = meanHalfAway(sum.sums[i], sum.senders[i]);
    }
  }
  return values;
}

/**
 * `sum / count`, halves away from zero. Exact: the dividend is an integer below 2^43 and the divisor at most 2^11, so a
 * quotient that is no integer is at least 2^-11 from one, and quotients here (below 2^32) are rounded by less than 2^-21.
 */
function meanHalfAway(sum: number, count: number): number {
  const magnitude = Math.floor((2 * Math.abs(sum) + count) / (2 * count));
  return sum < 0 ? -magnitude : magnitude;
}

const larger = (a: bigint, b: bigint) => (a > b ? a : b);
