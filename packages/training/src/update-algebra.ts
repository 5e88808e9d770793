/**
 * What aggregation asks of updates: inner products and scaling (sums: `chunk-sum.ts`). All in integers, all exact.
 *
 * An inner product is taken per block or tensor first, over small codes, where double precision cannot lose a unit; only
 * those few partial results meet the scales, as BigInt.
 */
import { assert } from '@folkmoot/core';
import type { Update } from './codec.ts';
import type { DenseUpdate } from './codec-dense.ts';
import type { SparseUpdate } from './codec-sparse.ts';
import { divideHalfAway } from './fixed-point.ts';

/** Σ aᵢ·bᵢ in UNIT². Both of one codec and layout. */
export function innerProduct(a: Update, b: Update): bigint {
  if (a.kind === 'dense' && b.kind === 'dense') return innerDense(a, b);
  assert(a.kind === 'sparse' && b.kind === 'sparse', 'the updates of a run have one codec');
  return innerSparse(a, b);
}

/** `update` · numerator / denominator. Scales and codebooks are rounded, halves away from zero; codes stay. */
export function scaled(update: Update, numerator: bigint, denominator: bigint): Update {
  const scale = (value: number) => Number(divideHalfAway(BigInt(value) * numerator, denominator));
  return update.kind === 'dense'
    ? { ...update, scales: update.scales.map(scale) }
    : { ...update, codebooks: update.codebooks.map(scale) };
}

function innerDense(a: DenseUpdate, b: DenseUpdate): bigint {
  let total = 0n;
  for (let chunk = 0; chunk < a.chunks.count; chunk++) {
    const start = a.chunks.starts[chunk];
    const end = start + a.chunks.lengths[chunk];
    // At most 4096 · 127² < 2^27.
    let sum = 0;
    for (let i = start; i < end; i++) sum += a.codes[i] * b.codes[i];
    total += BigInt(sum) * BigInt(a.scales[chunk]) * BigInt(b.scales[chunk]);
  }
  return total;
}

function innerSparse(a: SparseUpdate, b: SparseUpdate): bigint {
  let total = 0n;
  for (let group = 0; group + 1 < a.chunks.groups.length; group++) {
    const meetings = countMeetings(a, b, a.chunks.groups[group], a.chunks.groups[group + 1]);
    for (const [pair, count] of meetings.entries()) {
      if (count === 0) continue;
      const [left, right] = [a.codebooks[4 * group + (pair >> 2)], b.codebooks[4 * group + (pair & 3)]];
      total += BigInt(count) * BigInt(left) * BigInt(right);
    }
  }
  return total;
}

/** How often code `p >> 2` of `a` and code `p & 3` of `b` are at the same parameter, for all 16 pairs `p`. */
function countMeetings(a: SparseUpdate, b: SparseUpdate, fromChunk: number, toChunk: number): Uint32Array {
  const counts = new Uint32Array(16);
  for (let chunk = fromChunk; chunk < toChunk; chunk++) {
    const end = a.entries[chunk + 1];
    let i = a.entries[chunk];
    let j = i;
    while (i < end && j < end) {
      const [left, right] = [a.indices[i], b.indices[j]];
      if (left === right) counts[4 * a.codes[i] + b.codes[j]]++;
      if (left <= right) i++;
      if (right <= left) j++;
    }
  }
  return counts;
}
