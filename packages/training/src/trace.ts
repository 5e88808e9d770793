/** The training trace while it grows: what a trainer chains as it works, and keeps to open later. */
import { assert, type Hash, hashOf } from '@folkmoot/core';
import { encodeLink, rowsId, type StateIds, segmentLink, startLink, type Trace } from '@folkmoot/records';

/** Where a round starts for one trainer. */
export interface TraceStart {
  readonly run: Hash;
  readonly round: number;
  readonly base: Hash;
  /** The round's seed for assignment, and the trainer's seat in it. */
  readonly seed: Hash;
  readonly seat: number;
  /** Segments of the seat before the trainer’s first. */
  readonly skip: number;
  readonly moments: Hash;
}

/** Collects the links of one round: `endSegment` K times, then `encoded`. */
export class TraceBuilder {
  readonly #start: TraceStart;
  readonly #secret: string;
  readonly #links: Hash[];
  readonly #states: StateIds[] = [];

  /** `secret` is the device's own and stays with it: the salts come from it, so they need no storage. */
  constructor(start: TraceStart, secret: string) {
    this.#start = start;
    this.#secret = secret;
    this.#links = [startLink(start.base, start.seed, start.seat, start.moments)];
  }

  /** The latest link: what a lease shows of the progress. */
  get head(): Hash {
    return this.#links.at(-1)!;
  }

  /** Chains the state at the end of the next segment. */
  endSegment(state: StateIds): void {
    const { seed, seat, skip } = this.#start;
    this.#states.push(state);
    this.#links.push(segmentLink(this.head, state, rowsId(seed, seat, skip + this.#states.length)));
  }

  /** Chains the encoding and returns the whole trace. */
  encoded(update: Hash, errorIn: Hash, errorOut: Hash): Trace {
    assert(this.#states.length > 0, 'a round has a segment');
    const links = [...this.#links, encodeLink(this.head, update, errorIn, errorOut)];
    const { run, round } = this.#start;
    const salts = links.map((_, index) => hashOf('trace-salt', this.#secret, run, round, index));
    return { links, salts, states: this.#states };
  }
}
