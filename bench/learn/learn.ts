/**
 * `./folkmoot bench learn`: runs what is missing of the experiments L1 to L8, one arm and one seed after another, and
 * writes the report anew. Interrupted, it goes on where it stopped: what is in the raw file with the same definition and
 * the same text is not run again.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { WorldError } from '@folkmoot/core';
import { createEngine } from '@folkmoot/tensor/node';
import type { BenchOptions, Figure } from '../bench.ts';
import type { Arm } from './arm.ts';
import { armsOf, type Experiment, finalLoss } from './experiment.ts';
import { EXPERIMENTS, PLOTS } from './experiments/index.ts';
import { curvePlot, frontierPlot } from './plots.ts';
import { report } from './report.ts';
import { appendResult, RAW_FILE, readResults, resultsOf } from './results.ts';
import type { Result } from './run-arm.ts';
import { runArm } from './run-arm.ts';
import { realText, type Text } from './text.ts';

const REPORT_FILE = new URL('../../docs/results/learning.md', import.meta.url).pathname;
const SEEDS = 3;

export interface Job {
  readonly experiment: string;
  readonly arm: Arm;
  readonly seed: number;
}

export async function* run(signal: AbortSignal, options: BenchOptions = {}): AsyncIterable<Figure> {
  const experiments = chosen(options.only);
  const jobs = jobsOf(experiments, options.seeds ?? SEEDS);
  const text = await realText();
  const left = missing(jobs, await readResults(RAW_FILE), text.id);
  if (options.list) return yield* list(jobs, left);
  if (!options.report) yield* runAll(left, text, signal);
  await writeReport(await readResults(RAW_FILE));
  yield { name: 'report', value: jobs.length, unit: 'runs', note: 'docs/results/learning.md' };
}

/** Seed by seed, so that a bench that is stopped early has every experiment once. An arm of several experiments runs once. */
export function jobsOf(experiments: readonly Experiment[], seeds: number): Job[] {
  const jobs: Job[] = [];
  for (let seed = 1; seed <= seeds; seed++)
    for (const experiment of experiments)
      for (const arm of armsOf(experiment))
        if (!jobs.some((job) => job.arm.id === arm.id && job.seed === seed))
          jobs.push({ experiment: experiment.id, arm, seed });
  return jobs;
}

/** What has no result yet, or one of another definition or another text. */
export function missing(jobs: readonly Job[], results: readonly Result[], text: string): Job[] {
  return jobs.filter(
    ({ arm, seed }) => !resultsOf(results, arm).some((result) => result.seed === seed && result.text === text),
  );
}

async function* runAll(jobs: readonly Job[], text: Text, signal: AbortSignal): AsyncIterable<Figure> {
  const started = performance.now();
  for (const [i, { experiment, arm, seed }] of jobs.entries()) {
    signal.throwIfAborted();
    // One thread: small products are no faster with two, and their bits stay those of one.
    const engine = await createEngine('native', { threads: 1 });
    try {
      const result = await runArm(arm, seed, text, engine, { signal });
      await appendResult(RAW_FILE, result);
      const minutes = ((performance.now() - started) / 60_000 / (i + 1)) * (jobs.length - i - 1);
      const note = `${i + 1} of ${jobs.length}, about ${Math.ceil(minutes)} minutes left`;
      yield { name: `${experiment} ${arm.id}, seed ${seed}`, value: finalLoss(result), unit: 'nats/byte', note };
    } finally {
      await engine.close();
    }
  }
}

function* list(jobs: readonly Job[], left: readonly Job[]): Iterable<Figure> {
  for (const job of jobs) {
    const steps = job.arm.rounds * job.arm.members;
    yield {
      name: `${job.experiment} ${job.arm.id}, seed ${job.seed}`,
      value: steps,
      unit: 'local rounds',
      note: left.includes(job) ? 'to do' : 'done',
    };
  }
}

async function writeReport(results: readonly Result[]): Promise<void> {
  const folder = join(dirname(REPORT_FILE), 'learning');
  await mkdir(folder, { recursive: true });
  for (const { kind, title, file, arms } of PLOTS)
    await writeFile(join(folder, file), await (kind === 'curves' ? curvePlot : frontierPlot)(title, arms, results));
  const plots = PLOTS.map(({ title, file }) => ({ title, file: `learning/${file}` }));
  await writeFile(REPORT_FILE, report(EXPERIMENTS, results, plots));
}

function chosen(only: string | undefined): readonly Experiment[] {
  if (only === undefined) return EXPERIMENTS;
  const names = only.split(',').map((name) => name.trim().toUpperCase());
  const unknown = names.find((name) => !EXPERIMENTS.some(({ id }) => id === name));
  if (unknown !== undefined)
    throw new WorldError('no-such-experiment', `There is no experiment "${unknown}".`, {
      help: `There are: ${EXPERIMENTS.map(({ id }) => id).join(', ')}.`,
    });
  return EXPERIMENTS.filter(({ id }) => names.includes(id));
}
