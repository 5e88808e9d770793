/** Assignment → rows: which rows of the training set a trainer takes in a round. Everybody computes it alike. */
import { assert, type Hash, permutation } from '@folkmoot/core';

export interface AssignmentRules {
  /** B: rows in one inner step. */
  readonly batchRows: number;
  /** H: inner steps in a round. */
  readonly stepsPerRound: number;
}

/**
 * The `batchRows` rows of `step` for the trainer in `seat`.
 *
 * Row b is `permutation(seed, trainRows)` at `(seat·H·B + step·B + b) mod trainRows`. So the rows of a round are distinct,
 * across seats too, as long as seats·H·B is at most `trainRows`; beyond that they repeat evenly. `seed` is the round's;
 * `trainRows` in [1, 2^30].
 */
export function assignedRows(
  seed: Hash,
  trainRows: number,
  seat: number,
  step: number,
  { batchRows, stepsPerRound }: AssignmentRules,
): number[] {
  assert(Number.isInteger(seat) && seat >= 0, 'a seat is a natural number');
  assert(Number.isInteger(step) && step >= 0 && step < stepsPerRound, 'a step of the round');
  const rowAt = rowPermutation(seed, trainRows);
  const start = (seat * stepsPerRound + step) * batchRows;
  assert(Number.isSafeInteger(start + batchRows), 'rows can be counted');
  return Array.from({ length: batchRows }, (_, b) => rowAt((start + b) % trainRows));
}

// The permutation of the round at hand, and of a few more for a node that audits older ones.
const remembered = new Map<string, (index: number) => number>();
const REMEMBERED = 8;

function rowPermutation(seed: Hash, trainRows: number): (index: number) => number {
  const name = `${seed}/${trainRows}`;
  let rowAt = remembered.get(name);
  if (!rowAt) {
    rowAt = permutation(seed, trainRows);
    if (remembered.size >= REMEMBERED) remembered.delete(remembered.keys().next().value!);
    remembered.set(name, rowAt);
  }
  return rowAt;
}
