/** From a round's updates to one change: as a run does it, and the ways that it is compared with. */
import { integerSqrt } from '@folkmoot/core';
import { aggregate, forEachEntry, innerProduct, type Submission, scaled, UNIT, type Update } from '@folkmoot/training';
import type { Arm } from './arm.ts';

export interface Merged {
  /** Mean change of base − next. */
  readonly change: Float64Array;
  /** Keys of updates that were left out. */
  readonly dropped: readonly string[];
  /** Norm of the plain mean over that of `change`. */
  readonly meanNormShare?: number;
}

export function merge(submissions: readonly Submission[], elements: number, kind: Arm['merge'] = 'senders'): Merged {
  if (kind === 'directions') return meanDirection(submissions, elements);
  if (kind !== 'senders') return { change: plainMean(submissions, elements, kind === 'plain'), dropped: [] };
  const { values, fates } = aggregate(submissions, elements);
  return {
    change: Float64Array.from(values, (value) => value * UNIT),
    dropped: fates.flatMap((fate) => (fate.kept ? [] : [fate.key])),
  };
}

/** Decoupled DiLoCo's RDA: the direction of the mean of unit updates, with the mean of the norms. */
function meanDirection(submissions: readonly Submission[], elements: number): Merged {
  const norms = submissions.map(({ update }) => integerSqrt(innerProduct(update, update)));
  const mean = norms.reduce((sum, norm) => sum + norm, 0n) / BigInt(norms.length);
  const alike = submissions.map(({ key, update }, i) => ({ key, update: scaled(update, mean, norms[i]) }));
  const direction = plainMean(alike, elements, false);
  const factor = (Number(mean) * UNIT) / norm(direction);
  const share = norm(plainMean(submissions, elements, false)) / (Number(mean) * UNIT);
  return { change: direction.map((value) => value * factor), dropped: [], meanNormShare: share };
}

/** No clipping, nobody left out; over the senders of each parameter or over all updates. */
function plainMean(submissions: readonly Submission[], elements: number, overSenders: boolean): Float64Array {
  const sum = new Float64Array(elements);
  const senders = new Uint32Array(elements);
  for (const { update } of submissions)
    forEachValue(update, (parameter, units) => {
      sum[parameter] += units * UNIT;
      senders[parameter]++;
    });
  return sum.map((value, i) => value / Math.max(1, overSenders ? senders[i] : submissions.length));
}

function forEachValue(update: Update, visit: (parameter: number, units: number) => void): void {
  if (update.kind === 'sparse') return forEachEntry(update, visit);
  const { chunks, codes, scales } = update;
  for (let chunk = 0; chunk < chunks.count; chunk++)
    for (let i = chunks.starts[chunk]; i < chunks.starts[chunk] + chunks.lengths[chunk]; i++)
      visit(i, codes[i] * scales[chunk]);
}

function norm(values: Float64Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}
