/** What a benchmark is: a module that yields figures. `./folkmoot bench NAME` runs it and prints them. */
import { WorldError } from '@folkmoot/core';

export interface Figure {
  /** What was measured, such as `native, 2 threads`. */
  readonly name: string;
  readonly value: number;
  /** Such as `tokens/s` or `ms`. */
  readonly unit: string;
  /** A comparison or a condition, where the number alone would mislead. */
  readonly note?: string;
}

/** What a user asks of a benchmark of many parts; the others take no notice. */
export interface BenchOptions {
  /** Names of parts, with commas between them; all of them where it is left out. */
  readonly only?: string;
  /** How often with other chance. */
  readonly seeds?: number;
  /** Only say what there is to do. */
  readonly list?: boolean;
  /** Only write the report of what has been measured. */
  readonly report?: boolean;
}

/** A file of this folder exports `run`: figures as they come, an exception where something does not work. */
export interface Bench {
  run(signal: AbortSignal, options?: BenchOptions): AsyncIterable<Figure>;
}

/** What `--only` names, in its order; all of `known` where it is left out. Throws `no-such-part`. */
export function partsOf(only: string | undefined, known: readonly string[]): readonly string[] {
  if (only === undefined) return known;
  const names = only.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return names;
  throw new WorldError('no-such-part', `This benchmark has no part "${unknown}".`, {
    help: `There are: ${known.join(', ')}; several with commas between them.`,
  });
}

/** Milliseconds that `work` takes: the median of `repeats` runs, after one that is not counted. */
export async function medianMs(repeats: number, work: () => unknown): Promise<number> {
  await work();
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return median(times);
}

/** The middle value; of an even number of values the higher one of the two in the middle. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
