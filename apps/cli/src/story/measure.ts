/** Measures a base on held-out rows with the run's own program. */
import { type Hash, WorldError } from '@folkmoot/core';
import { Rows } from '@folkmoot/data';
import { parameterLayout, type Tokenizer } from '@folkmoot/model';
import { runPrograms } from '@folkmoot/node';
import { Evaluator, type Score, scoreOf, textBytes } from '@folkmoot/training';
import { formatCount } from '../ui/format.ts';
import type { ReplayBench } from './replay-bench.ts';

/** Rows between two looks at the clock: a multiple of the program's, so that batches do not depend on it. */
const PROGRAM_RUNS = 8;
const PROGRESS_MS = 3000;

export interface Measured {
  readonly base: Hash;
  readonly params: Float32Array;
  readonly tokenizer: Tokenizer;
  /** Of the hold-out; each below its number of rows. */
  readonly rows: readonly number[];
}

/** The score of a base. `note` is told of progress. Throws `diverged` where a loss is not finite. */
export async function measure(
  { run, engine, manifest, getShard }: ReplayBench,
  { base, params, tokenizer, rows }: Measured,
  note: (line: string) => void,
  signal: AbortSignal,
): Promise<Score> {
  const { charter } = run;
  const program = runPrograms(charter).evaluate;
  const holdout = new Rows(manifest, 'holdout', getShard);
  const evaluator = await Evaluator.create(engine, program, parameterLayout(charter.model));
  await evaluator.load(params);
  const chunk = charter.batchRows * PROGRAM_RUNS;
  const nll: number[] = [];
  let bytes = 0;
  let toldMs = performance.now();
  for (let at = 0; at < rows.length; at += chunk) {
    signal.throwIfAborted();
    const batch = await holdout.read(rows.slice(at, at + chunk));
    for (const loss of await evaluator.rowLosses(batch)) nll.push(loss);
    bytes += textBytes(tokenizer, batch.targets);
    if (performance.now() - toldMs < PROGRESS_MS) continue;
    toldMs = performance.now();
    note(`${formatCount(nll.length)} of ${formatCount(rows.length)} rows …`);
  }
  await evaluator.free();
  if (!nll.every(Number.isFinite))
    throw new WorldError('diverged', 'This base has no finite loss: its training has diverged.', {
      facts: { base },
      help: 'Evaluate the base of an earlier round.',
    });
  const { kind, name } = engine;
  const subject = {
    ...{ run: run.note.run, base, program: program.id, holdoutRoot: charter.dataset.holdoutRoot },
    ...{ tokenizer: charter.tokenizer, engine: { kind, name }, rows },
  };
  return scoreOf(subject, nll, rows.length * charter.model.context, bytes);
}

/** `count` rows spread evenly over `total`; all where there are no more. */
export function spreadRows(total: number, count: number): number[] {
  const rows = Math.min(total, count);
  return Array.from({ length: rows }, (_, i) => Math.floor((i * total) / rows));
}
