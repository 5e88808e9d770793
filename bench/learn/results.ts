/** The raw results: one line of JSON for each arm and seed, appended as they end, so that a bench goes on where it stopped. */
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { WorldError } from '@folkmoot/core';
import { type Arm, armName } from './arm.ts';
import type { Result } from './run-arm.ts';

export const RAW_FILE = new URL('../../docs/results/learning/raw.jsonl', import.meta.url).pathname;

/** Every line of `file`; none where there is no such file. Of lines for the same arm and seed the last counts. */
export async function readResults(file: string): Promise<Result[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const byRun = new Map<string, Result>();
  for (const [i, line] of text.split('\n').entries()) {
    if (line === '') continue;
    const result = parseLine(file, i + 1, line);
    byRun.set(`${result.config} ${result.seed}`, result);
  }
  return [...byRun.values()];
}

export async function appendResult(file: string, result: Result): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await appendFile(file, `${JSON.stringify(result)}\n`);
}

/** Results of `arm` as it is defined now, by seed. */
export function resultsOf(results: readonly Result[], arm: Arm): Result[] {
  const config = armName(arm);
  return results.filter((result) => result.config === config).sort((a, b) => a.seed - b.seed);
}

function parseLine(file: string, line: number, text: string): Result {
  try {
    return JSON.parse(text) as Result;
  } catch {
    throw new WorldError('learn-results', `Line ${line} of the raw results is not JSON.`, {
      facts: { file, line },
      help: 'An interrupted write leaves half a line: delete it, and that run is done again.',
    });
  }
}
