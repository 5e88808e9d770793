/** What became of a trainer's round, and why: the only thing that credit is made from. */
import type { AccountId, DeviceId, Hash } from '@folkmoot/core';

/**
 * | outcome | credit |
 * |---|---|
 * | `matched` | all segments: an auditor re-executed one and the encoding, bits equal |
 * | `within` | all segments: the distance is inside the charter's tolerance |
 * | `not-drawn` | all segments: included, and no audit was drawn |
 * | `no-verdict` | all segments: drawn, and the auditors stayed silent; audited next round |
 * | `upheld` | all segments, booked later: a mismatch was disputed, and nothing of it is left |
 * | `mismatch` | none, audits at one again |
 * | `arbitrated` | none, locked credit forfeited: a dispute has ended at an operator that is wrong |
 * | `disputed` | none: auditors contradict each other and nobody is left to decide; audited next round |
 * | `tainted` | none: it was built on a state that an audit refused |
 * | `not-opened` | none: the trace was not opened in time |
 * | `unavailable` | none: opened, and the bytes could not be fetched |
 * | `excluded` | none: witnesses or the aggregation left the update out |
 * | `not-revealed`, `late` | none: a deadline passed |
 * | `lapsed` | none: no sign of life in mid-round, and no commit before another's or the end |
 * | `spare` | none: stood in for a trainer that delivered itself |
 * | `reproduced` | the segments that a vanished trainer had leased, and an auditor re-executed to the same bits |
 * | `void` | none to anybody: the round had no quorum |
 */
export type Outcome =
  | 'matched'
  | 'within'
  | 'not-drawn'
  | 'no-verdict'
  | 'upheld'
  | 'mismatch'
  | 'arbitrated'
  | 'disputed'
  | 'tainted'
  | 'not-opened'
  | 'unavailable'
  | 'excluded'
  | 'not-revealed'
  | 'late'
  | 'lapsed'
  | 'spare'
  | 'reproduced'
  | 'void';

/** One trainer, one round, one fate. */
export interface Settlement {
  readonly round: number;
  readonly device: DeviceId;
  readonly account: AccountId;
  readonly outcome: Outcome;
  /** Segments that are paid. */
  readonly segments: number;
  readonly evidence: Evidence;
}

/** What the sentence of `why` names. Ids are record ids; absent where they do not apply. */
export interface Evidence {
  readonly update?: Hash;
  readonly commit?: Hash;
  readonly segment?: number;
  readonly auditors?: readonly DeviceId[];
  readonly verdicts?: readonly Hash[];
  readonly distancePpm?: number;
  readonly tensor?: string;
  readonly part?: 'segment' | 'encode';
  /** Who took over the rows. */
  readonly standIn?: DeviceId | null;
  /** Where a dispute ended: the step of the segment and its operator, from 0. */
  readonly step?: number | null;
  readonly operator?: number | null;
  /** The log entry that ended the wait. */
  readonly entry?: number;
}

const PAID: ReadonlySet<Outcome> = new Set(['matched', 'within', 'not-drawn', 'no-verdict', 'reproduced', 'upheld']);

/** Whether `outcome` earns anything. */
export function isPaid(outcome: Outcome): boolean {
  return PAID.has(outcome);
}
