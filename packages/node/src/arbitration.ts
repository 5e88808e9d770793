/**
 * What a dispute needs of the heavy part: a segment cut into its steps, a step into its operators, and one operator run again.
 *
 * A leaf is the hash of an artifact: of what an operator gave, or (`stateLeaf`) of the list of a state's parts.
 */
import type { Hash } from '@folkmoot/core';
import type { Assignment, StateBytes } from './work.ts';

/** A segment from the state that was opened for its audit. */
export interface Place {
  readonly assignment: Assignment;
  /** From 1. */
  readonly segment: number;
  readonly start: StateBytes;
}

/** Puts an artifact where others can fetch it. */
export type Keep = (bytes: Uint8Array) => Promise<unknown>;
/** Bytes of an artifact, of at most `maxBytes`. Throws `artifact-unavailable`. */
export type Fetch = (id: Hash, maxBytes: number) => Promise<Uint8Array>;

/** An operator in a trainer's claim. Steps and operators from 0. */
export interface Claim {
  readonly step: number;
  readonly operator: number;
  readonly steps: readonly Hash[];
  readonly operators: readonly Hash[];
}

/** A trainer's claimed states, for those whose own engine would give other bits. */
export interface Claimed {
  readonly steps: readonly Hash[];
  readonly fetch: Fetch;
}

export interface Arbitration {
  /**
   * Leaves of the segment's steps; `keep` is given what is behind them. Fewer where the work diverges.
   *
   * `paid`: the end that the trainer has committed to. Engines other than `exact` may give other bits when they are asked again;
   * where the last step leads there within the one-step bound, it is the last leaf.
   */
  steps(place: Place, signal: AbortSignal, keep?: Keep, paid?: StateBytes): Promise<Hash[]>;
  /** Leaves of the operators of step `step`, from the claimed state before it or from one's own. */
  operators(place: Place, step: number, signal: AbortSignal, keep?: Keep, claimed?: Claimed): Promise<Hash[]>;
  /** Gives `keep` what a judge needs to run operator `operator` of step `step`. */
  provide(
    place: Place,
    step: number,
    operator: number,
    signal: AbortSignal,
    keep: Keep,
    claimed?: Claimed,
  ): Promise<void>;
  /** Where bits may differ: the first claimed step that is further from what its start gives than the one-step bound. */
  wrongStep(place: Place, steps: readonly Hash[], fetch: Fetch, signal: AbortSignal): Promise<number | undefined>;
  /** Runs the operator on its claimed inputs: whether the claimed result follows. */
  follows(place: Place, claim: Claim, fetch: Fetch, signal: AbortSignal): Promise<boolean>;
}
