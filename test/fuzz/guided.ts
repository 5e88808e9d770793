/**
 * Inputs that are kept because they reached code which none had reached before, and are changed again: fuzzing guided by
 * coverage, as V8 counts it.
 *
 * Counting costs more than reading a small input, so that it is asked once for a batch; where the batch found something
 * new, each of its inputs is tried alone.
 */
import { hashOf, type Random, SeededRandom } from '@folkmoot/core';
import type { Coverage } from './coverage.ts';
import { type Fuzzed, feed, nothingYet } from './fuzz.ts';
import { mutateBytes, pick } from './mutation.ts';
import type { Target } from './target.ts';

const BATCH = 256;
const MAX_CORPUS = 2000;

export interface Guided extends Fuzzed {
  /** Inputs that were kept. */
  readonly corpus: number;
  /** Letters of this project's source that were reached. */
  readonly letters: number;
}

/** So many inputs of `seed`. Throws the first `Finding`; its input is what tells of it, not its index. */
export async function fuzzGuided(
  target: Target,
  seed: string,
  inputs: number,
  coverage: Coverage,
  onBatch: (sofar: Guided) => void | Promise<void> = () => {},
): Promise<Guided> {
  const corpus: Uint8Array[] = [];
  let sum = nothingYet();
  coverage.grew();
  for (let at = 0; at < inputs; at += BATCH) {
    const random = new SeededRandom(hashOf('guided', seed, target.name, at));
    const batch = Array.from({ length: Math.min(BATCH, inputs - at) }, () => next(target, corpus, random));
    for (const [i, input] of batch.entries()) sum = await feed(target, at + i, input, sum);
    if (coverage.grew()) for (const input of await thatGrew(target, at, batch, coverage)) keep(corpus, input, random);
    await onBatch({ ...sum, corpus: corpus.length, letters: coverage.letters });
  }
  return { ...sum, corpus: corpus.length, letters: coverage.letters };
}

/** A fresh one now and then, else a change of one that was kept. */
function next(target: Target, corpus: readonly Uint8Array[], random: Random): Uint8Array {
  if (corpus.length === 0 || random.uint32() % 4 === 0) return target.make(random);
  return mutateBytes(random, pick(random, corpus), corpus);
}

/**
 * Those of a batch, which has just been read, that reach something which the ones before them do not. By halves: most
 * reach nothing new.
 */
async function thatGrew(
  target: Target,
  at: number,
  batch: readonly Uint8Array[],
  coverage: Coverage,
): Promise<Uint8Array[]> {
  if (batch.length <= 1) return [...batch];
  coverage.forgetLast();
  const middle = batch.length >> 1;
  const grew: Uint8Array[] = [];
  for (const half of [batch.slice(0, middle), batch.slice(middle)]) {
    for (const [i, input] of half.entries()) await feed(target, at + i, input, nothingYet());
    if (coverage.grew()) grew.push(...(await thatGrew(target, at, half, coverage)));
  }
  return grew;
}

function keep(corpus: Uint8Array[], input: Uint8Array, random: Random): void {
  if (corpus.length < MAX_CORPUS) corpus.push(input);
  else corpus[random.uint32() % MAX_CORPUS] = input;
}
