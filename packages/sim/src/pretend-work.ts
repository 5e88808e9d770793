/**
 * Pretended training: hashes in place of tensors, virtual time in place of arithmetic.
 *
 * A state is a function of exactly what a real one depends on, so a forged or swapped input shows as it would in earnest,
 * and a network of hundreds costs seconds. Nothing is learned here.
 */
import { type Clock, concat, fromHex, hashOf, sha256, toHex } from '@folkmoot/core';
import type { Assignment, Distance, Place, SegmentEnd, StateBytes, Work } from '@folkmoot/node';
import { type Charter, segmentsAfter } from '@folkmoot/records';
import { PretendArbitration } from './pretend-arbitration.ts';

/** Parameters of a pretended model: the charter must say the same. */
export const PRETEND_PARAMETERS = 16;

const UPDATE_BYTES = 40;
const MARK = fromHex('5045494e'.padEnd(16, '0'));

export function pretendBase(): Uint8Array {
  return fill(hashOf('pretend-base'), 4 * PRETEND_PARAMETERS);
}

export class PretendWork implements Work {
  readonly engineName = 'pretend';
  readonly maxUpdateBytes = UPDATE_BYTES;
  readonly arbitration: PretendArbitration;
  /** Segments that were trained, and that were re-executed: what this member's machine has done. */
  readonly segments = { trained: 0, replayed: 0 };
  readonly #clock: Clock;
  readonly #charter: Charter;
  readonly #segmentMs: number;

  /** `segmentMs`: virtual time that a segment takes. */
  constructor(clock: Clock, charter: Charter, segmentMs: number) {
    this.#clock = clock;
    this.#charter = charter;
    this.arbitration = new PretendArbitration(charter.stepsPerSegment, pretendEnd);
    this.#segmentMs = segmentMs;
  }

  zeroMoments(): Uint8Array {
    return new Uint8Array(4 * PRETEND_PARAMETERS);
  }

  zeroError(): Uint8Array {
    return new Uint8Array(2 * PRETEND_PARAMETERS);
  }

  start(base: Uint8Array, previous: Uint8Array): Uint8Array {
    return fill(hashOf('start', sha256(base), sha256(previous)), 4 * PRETEND_PARAMETERS);
  }

  ownStart(start: Uint8Array, errorIn: Uint8Array, share: string): Uint8Array {
    return fill(hashOf('own-start', sha256(start), sha256(errorIn), share), 4 * PRETEND_PARAMETERS);
  }

  async *train(assignment: Assignment, start: StateBytes, signal: AbortSignal): AsyncIterable<SegmentEnd> {
    let state = start;
    for (let segment = 1; segment <= segmentsAfter(this.#charter, assignment); segment++) {
      const end = await this.#work(assignment, segment, state, signal);
      this.segments.trained++;
      yield end;
      state = end;
    }
  }

  async replay(assignment: Assignment, segment: number, start: StateBytes, signal: AbortSignal): Promise<SegmentEnd> {
    const end = await this.#work(assignment, segment, start, signal);
    this.segments.replayed++;
    return end;
  }

  async #work(assignment: Assignment, segment: number, start: StateBytes, signal: AbortSignal): Promise<SegmentEnd> {
    await this.#clock.sleep(this.#segmentMs, signal);
    return { ...pretendEnd({ assignment, segment, start }), losses: [1], tokens: 1 };
  }

  encode(start: Uint8Array, params: Uint8Array, errorIn: Uint8Array): { update: Uint8Array; errorOut: Uint8Array } {
    const content = hashOf('encode', sha256(start), sha256(params), sha256(errorIn));
    return {
      update: concat([MARK, fromHex(content)]),
      errorOut: fill(hashOf('error', content), 2 * PRETEND_PARAMETERS),
    };
  }

  inspect(update: Uint8Array): string | null {
    return update.length === UPDATE_BYTES && toHex(update.subarray(0, 8)) === toHex(MARK)
      ? null
      : 'not a pretended update';
  }

  aggregate(start: Uint8Array, updates: readonly { key: string; bytes: Uint8Array }[]) {
    const sorted = [...updates].sort((a, b) => (a.key < b.key ? -1 : 1));
    const aggregate = hashOf('aggregate', ...sorted.map(({ bytes }) => sha256(bytes)));
    return { aggregate, nextBase: fill(hashOf('next', sha256(start), aggregate), 4 * PRETEND_PARAMETERS) };
  }

  distance(_start: StateBytes, mine: StateBytes, claimed: StateBytes): Distance {
    const equal = sha256(mine.params) === sha256(claimed.params) && sha256(mine.moments) === sha256(claimed.moments);
    return equal
      ? { distancePpm: 0, tensor: '', first: '' }
      : { distancePpm: 1_000_000, tensor: 'pretended', first: 'pretended' };
  }

  /** Nothing is learned here: everybody helps alike. */
  async help(): Promise<number> {
    return 0.1;
  }

  async evaluate(params: Uint8Array): Promise<number> {
    return params[0]!;
  }

  async close(): Promise<void> {}
}

/** The end of a segment, from everything that it depends on. */
function pretendEnd({ assignment, segment, start }: Place): StateBytes {
  const { seed, seat, skip, carriedSteps, round } = assignment;
  const work = hashOf(
    'pretend',
    sha256(start.params),
    sha256(start.moments),
    round,
    seed,
    seat,
    carriedSteps,
    skip + segment,
  );
  return {
    params: fill(hashOf('params', work), 4 * PRETEND_PARAMETERS),
    moments: fill(hashOf('moments', work), 4 * PRETEND_PARAMETERS),
  };
}

/** Bytes from a seed that are small finite numbers, whether they are read as float32 or as bfloat16. */
function fill(seed: string, size: number): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(size / 32) }, (_, i) => fromHex(hashOf('fill', seed, i)));
  return concat(blocks)
    .subarray(0, size)
    .map((byte, i) => (i % 2 === 1 ? 0x3c | (byte & 0x80) : byte));
}
