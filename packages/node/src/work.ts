/**
 * The heavy part of a member's duties, in artifacts: bytes in, bytes out.
 *
 * `tensor-work.ts` does it with programs on an engine; the simulator pretends, so that thousands of members fit one
 * machine. Nothing here knows a peer.
 */
import type { Hash } from '@folkmoot/core';
import type { Distance } from '@folkmoot/verify';
import type { Arbitration } from './arbitration.ts';

/** A state at a segment boundary: parameters float32, moments bfloat16, both little-endian. */
export interface StateBytes {
  readonly params: Uint8Array;
  readonly moments: Uint8Array;
}

/** Which rows, and where in the schedule. */
export interface Assignment {
  readonly round: number;
  readonly seed: Hash;
  readonly seat: number;
  /** Segments of the seat that come before the first of the work at hand. */
  readonly skip: number;
  /** Inner steps that the device has carried into this round. */
  readonly carriedSteps: number;
}

/** What the end of a segment looks like. */
export interface SegmentEnd extends StateBytes {
  /** Mean training loss of each step, nats per token. */
  readonly losses: readonly number[];
  readonly tokens: number;
}

export type { Distance };

export interface Encoding {
  readonly update: Uint8Array;
  readonly errorOut: Uint8Array;
}

export interface Work {
  /** For people and records. */
  readonly engineName: string;
  /** Artifacts of nothing but zeros: what a device without a past carries. */
  zeroMoments(): Uint8Array;
  zeroError(): Uint8Array;
  /** Where a round starts from `base`, which came after `previous`. */
  start(base: Uint8Array, previous: Uint8Array): Uint8Array;
  /** Where a trainer starts that takes `share` of this error memory off the round's start. */
  ownStart(start: Uint8Array, errorIn: Uint8Array, share: string): Uint8Array;
  /** Trains what is left of a seat and yields the end of each segment. Throws `diverged` where a number is not finite. */
  train(assignment: Assignment, start: StateBytes, signal: AbortSignal): AsyncIterable<SegmentEnd>;
  /** Re-executes segment `segment` (from 1, after what is skipped) of an assignment; `undefined` where nothing can come of this start. */
  replay(
    assignment: Assignment,
    segment: number,
    start: StateBytes,
    signal: AbortSignal,
  ): Promise<SegmentEnd | undefined>;
  /** From a trainer's own start and last parameters to the update and the memory that it leaves; `undefined` as above. */
  encode(start: Uint8Array, params: Uint8Array, errorIn: Uint8Array): Encoding | undefined;
  /** Largest size of an update, bytes. */
  readonly maxUpdateBytes: number;
  /** Why `update` breaks the charter's bounds, or null. */
  inspect(update: Uint8Array): string | null;
  /** The next base from the round's start and the included updates; the same bytes on every machine. */
  aggregate(
    start: Uint8Array,
    updates: readonly { key: string; bytes: Uint8Array }[],
  ): { aggregate: Hash; nextBase: Uint8Array };
  distance(start: StateBytes, mine: StateBytes, claimed: StateBytes): Distance;
  /** The same work step by step and operator by operator, for disputes. */
  readonly arbitration: Arbitration;
  /**
   * By how much more `update`, applied alone to `start`, where its round began, lowers the loss on rows of its seat than on others, both drawn by
   * `rowsSeed`: nats per token; not finite where the update is none.
   */
  help(start: Uint8Array, update: Uint8Array, rows: { seed: Hash; seat: number; rowsSeed: Hash }): Promise<number>;
  /** Hold-out loss of `params`, nats per token. */
  evaluate(params: Uint8Array): Promise<number>;
  /** Frees memory on the engine; the engine itself is the caller's. */
  close(): Promise<void>;
}
