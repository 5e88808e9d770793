/** What one training run of the laboratory is: plain data, so that it can be written beside its result. */
import { type Hash, idOf } from '@folkmoot/core';
import type { OptimizerRules } from '@folkmoot/model';
import type { CodecRules } from '@folkmoot/records';
import type { TriedCodec } from './tried-codec.ts';

/** The value that holds from a round on, in ascending order; the first from round 0. */
export type ByRound<T> = readonly (readonly [fromRound: number, value: T])[];

/** What becomes of the inner optimizer's memory between rounds. */
export type InnerState = 'fresh' | 'f32' | 'bf16' | 'int8';

export type Attack = 'absent' | 'scaled' | 'flipped' | 'noise' | 'copied' | 'colluding';

export interface Arm {
  /** Unique; names the results. */
  readonly id: string;
  readonly members: number;
  readonly rounds: number;
  /** H by round. */
  readonly steps: ByRound<number>;
  /** Rows of one step of one member. */
  readonly rows: number;
  readonly optimizer: OptimizerRules;
  /** By round; 'none': nothing is exchanged, the member goes on from its own end. */
  readonly codec: ByRound<CodecRules | 'none'>;
  /** α by round. */
  readonly outerRate: ByRound<string>;
  /** μ of a run's aggregator, default none. */
  readonly momentum?: string;
  /** Every member decodes and merges for itself, in an order of its own, and the names of the bases are compared. Default false. */
  readonly everybodyMerges?: boolean;
  /** What a round goes on with of the way from the base before, default 0. */
  readonly heavyBall?: number;
  /** `senders` (the aggregator of a run), or one of those that it is compared with. */
  readonly merge?: 'senders' | 'plain' | 'everybody' | 'directions';
  /** Probability that an update is lost on its way. */
  readonly drop?: number;
  /**
   * The error memory of whose update is lost: as if it had arrived (`spent`, the default), what it was before the round
   * (`before`), nothing (`zeros`), or all that was offered (`offered`). The moments go on from there; as a run has it, they
   * too are what they were before the round, with the memory of then (`counted`) or none (`forgotten`).
   */
  readonly afterLoss?: 'spent' | 'before' | 'zeros' | 'offered' | 'counted' | 'forgotten';
  /** A codec that is only tried, in the place of a sparse one. */
  readonly tried?: TriedCodec;
  /** Default `bf16`. */
  readonly innerState?: InnerState;
  /** ρ of a run's codec: how much of its error memory a member takes off before it trains, default none. */
  readonly ahead?: string;
  /** From which round on, default 0. */
  readonly aheadFrom?: number;
  readonly attack?: { readonly kind: Attack; readonly liars: number };
  /** Rows of the training text as they lie, cut into as many parts as members: each sees other documents. Default false. */
  readonly ownDocuments?: boolean;
}

/** The value of `schedule` in `round`. */
export function at<T>(schedule: ByRound<T>, round: number): T {
  return schedule.findLast(([from]) => from <= round)![1];
}

/** Inner steps before `round`. */
export function stepsBefore({ steps }: Pick<Arm, 'steps'>, round: number): number {
  let total = 0;
  for (let earlier = 0; earlier < round; earlier++) total += at(steps, earlier);
  return total;
}

/** The name of everything that an arm's mathematics depends on. */
export function armName(arm: Arm): Hash {
  const { id: _, ...rest } = arm;
  return idOf(JSON.parse(JSON.stringify(rest, (_key, value) => (typeof value === 'number' ? String(value) : value))));
}
