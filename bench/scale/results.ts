/** The figures of each part, kept beside the charts that are drawn of them: a part can be measured anew by itself. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { LogPoint } from './log.ts';
import type { Population, PopulationRound } from './population.ts';
import type { ReducerPoint } from './reducer.ts';

const FOLDER = fileURLToPath(new URL('../../docs/results/scale/', import.meta.url));
const FILE = `${FOLDER}figures.json`;

export interface GoodputPoint {
  readonly trainers: number;
  readonly arm: 'nobody fails' | 'without reserves' | 'with reserves';
  readonly seed: string;
  readonly failures: number;
  /** Of what perfect members would have delivered, percent. */
  readonly verified: number;
  readonly inBase: number;
  readonly roundSeconds: number;
  /** Verified segments in a second of virtual time. */
  readonly perSecond: number;
}

export interface Results {
  reducer?: readonly { readonly series: string; readonly points: readonly ReducerPoint[] }[];
  log?: readonly LogPoint[];
  /** The rounds of a run, as they came; what came of it, where it was run to its end. */
  population?: { readonly rounds: readonly PopulationRound[]; readonly outcome?: Population };
  goodput?: readonly GoodputPoint[];
}

export async function readResults(): Promise<Results> {
  try {
    return JSON.parse(await readFile(FILE, 'utf8')) as Results;
  } catch {
    return {};
  }
}

/** Puts the figures of some parts in place of what was there. */
export async function keepResults(fresh: Results): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  await writeFile(FILE, `${JSON.stringify({ ...(await readResults()), ...fresh }, null, 1)}\n`);
}

export async function keepChart(name: string, svg: string): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  await writeFile(`${FOLDER}${name}.svg`, svg);
}
