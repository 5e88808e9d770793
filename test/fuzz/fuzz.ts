/** Feeds a target with inputs from a seed, and watches: nothing may be thrown, nothing may take long or much memory. */
import { getHeapStatistics } from 'node:v8';
import { hashOf, SeededRandom } from '@folkmoot/core';
import { isTaken, type Target } from './target.ts';

/** More processor time than this for one input is a hang: ten thousand times what a reader needs. The clock proves nothing on a busy machine. */
const MAX_MS = 3000;
/** Beyond what the input itself weighs, several times over for its parsed form. */
const SPARE_BYTES = 64 * 2 ** 20;
const TIMES_INPUT = 64;

export interface Fuzzed {
  readonly inputs: number;
  /** Inputs that were valid all the same: those reached the end of the reader. */
  readonly taken: number;
  readonly slowestMs: number;
  /** Most memory that one input took, as far as it was not collected meanwhile. */
  readonly largestBytes: number;
}

/** An input that the target did not survive. `index` and the seed make it again. */
export class Finding extends Error {
  readonly target: string;
  readonly index: number;
  readonly input: Uint8Array;

  constructor(target: string, index: number, input: Uint8Array, what: string, cause?: unknown) {
    super(`${target}, input ${index}: ${what}`, { cause });
    this.target = target;
    this.index = index;
    this.input = input;
  }
}

/** Inputs `from` to `to` of the seed. Throws the first `Finding`. */
export async function fuzz(target: Target, seed: string, to: number, from = 0): Promise<Fuzzed> {
  let sum = nothingYet();
  for (let index = from; index < to; index++)
    sum = await feed(target, index, target.make(new SeededRandom(hashOf('fuzz', seed, target.name, index))), sum);
  return sum;
}

export function nothingYet(): Fuzzed {
  return { inputs: 0, taken: 0, slowestMs: 0, largestBytes: 0 };
}

/** One input, and what it adds to `sum`. Throws a `Finding`. */
export async function feed(target: Target, index: number, input: Uint8Array, sum: Fuzzed): Promise<Fuzzed> {
  const before = heldBytes();
  const start = process.cpuUsage();
  let taken: boolean;
  try {
    taken = await isTaken(target, input);
  } catch (error) {
    throw new Finding(target.name, index, input, `threw ${String(error)}`, error);
  }
  const { user, system } = process.cpuUsage(start);
  const ms = (user + system) / 1000;
  const bytes = heldBytes() - before;
  if (ms > MAX_MS) throw new Finding(target.name, index, input, `took ${ms.toFixed(0)} ms of the processor`);
  if (bytes > SPARE_BYTES + TIMES_INPUT * input.length)
    throw new Finding(target.name, index, input, `took ${bytes} bytes of memory for ${input.length} bytes of input`);
  return {
    inputs: sum.inputs + 1,
    taken: sum.taken + (taken ? 1 : 0),
    slowestMs: Math.max(sum.slowestMs, ms),
    largestBytes: Math.max(sum.largestBytes, bytes),
  };
}

function heldBytes(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}
