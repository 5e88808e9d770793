/**
 * Inputs that are kept because they reached code which none had reached before, and are changed again: fuzzing guided by
 * coverage, as V8 counts it.
 *
 * Counting costs more than reading a small input, so that it is asked once for a batch; where the batch found something
 * new, each of its inputs is tried alone.
 */
import { Session } from 'node:inspector';
import { hashOf, type Random, SeededRandom } from '@folkmoot/core';
import { type Fuzzed, feed, nothingYet } from './fuzz.ts';
import { mutateBytes, pick } from './mutation.ts';
import type { Target } from './target.ts';

const BATCH = 64;
const MAX_CORPUS = 2000;
const OWN_FILES = /\/packages\/[^/]+\/src\//;

export interface Guided extends Fuzzed {
  /** Inputs that were kept. */
  readonly corpus: number;
  /** Blocks of this project's code that were reached. */
  readonly blocks: number;
}

/** So many inputs of `seed`. Throws the first `Finding`; its input is what tells of it, not its index. */
export async function fuzzGuided(
  target: Target,
  seed: string,
  inputs: number,
  onBatch: (sofar: Guided) => void | Promise<void> = () => {},
  files = OWN_FILES,
): Promise<Guided> {
  const coverage = new Coverage(files);
  const corpus: Uint8Array[] = [];
  let sum = nothingYet();
  try {
    for (let at = 0; at < inputs; at += BATCH) {
      const random = new SeededRandom(hashOf('guided', seed, target.name, at));
      const batch = Array.from({ length: Math.min(BATCH, inputs - at) }, () => next(target, corpus, random));
      for (const [i, input] of batch.entries()) sum = await feed(target, at + i, input, sum);
      if (coverage.grew()) for (const input of await thatGrew(target, at, batch, coverage)) keep(corpus, input, random);
      await onBatch({ ...sum, corpus: corpus.length, blocks: coverage.blocks });
    }
    return { ...sum, corpus: corpus.length, blocks: coverage.blocks };
  } finally {
    coverage.close();
  }
}

/** A fresh one now and then, else a change of one that was kept. */
function next(target: Target, corpus: readonly Uint8Array[], random: Random): Uint8Array {
  if (corpus.length === 0 || random.uint32() % 4 === 0) return target.make(random);
  return mutateBytes(random, pick(random, corpus), corpus);
}

/** Those of a batch that reach something which the ones before them do not: tried alone, against what was known before. */
async function thatGrew(
  target: Target,
  at: number,
  batch: readonly Uint8Array[],
  coverage: Coverage,
): Promise<Uint8Array[]> {
  coverage.forgetLast();
  const kept: Uint8Array[] = [];
  for (const [i, input] of batch.entries()) {
    await feed(target, at + i, input, nothingYet());
    if (coverage.grew()) kept.push(input);
  }
  return kept;
}

function keep(corpus: Uint8Array[], input: Uint8Array, random: Random): void {
  if (corpus.length < MAX_CORPUS) corpus.push(input);
  else corpus[random.uint32() % MAX_CORPUS] = input;
}

/** The parts of V8's answer that are used. */
interface Counted {
  readonly result: readonly {
    readonly url: string;
    readonly scriptId: string;
    readonly functions: readonly {
      readonly ranges: readonly { readonly startOffset: number; readonly endOffset: number; readonly count: number }[];
    }[];
  }[];
}

/** Blocks of this project's own files that have run so far. */
class Coverage {
  readonly #session = new Session();
  readonly #seen = new Set<string>();
  #last: string[] = [];

  readonly #files: RegExp;

  /** Of files whose URL matches. */
  constructor(files: RegExp) {
    this.#files = files;
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    this.grew();
  }

  get blocks(): number {
    return this.#seen.size;
  }

  /** Whether anything ran since the last call that had never run. */
  grew(): boolean {
    this.#last = [];
    // Answered at once: the inspector is in this process.
    this.#session.post('Profiler.takePreciseCoverage', (_error, counted) => {
      for (const { url, scriptId, functions } of (counted as unknown as Counted)?.result ?? [])
        if (this.#files.test(url)) this.#note(scriptId, functions);
    });
    return this.#last.length > 0;
  }

  /** As if what the last call found had not run. */
  forgetLast(): void {
    for (const block of this.#last) this.#seen.delete(block);
  }

  close(): void {
    this.#session.disconnect();
  }

  #note(scriptId: string, functions: Counted['result'][number]['functions']): void {
    for (const { ranges } of functions)
      for (const { startOffset, endOffset, count } of ranges) {
        const block = `${scriptId} ${startOffset} ${endOffset}`;
        if (count === 0 || this.#seen.has(block)) continue;
        this.#seen.add(block);
        this.#last.push(block);
      }
  }
}
