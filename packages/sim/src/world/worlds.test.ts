/**
 * Hundreds of small worlds for every change. A failure prints its seed, what is left of its plan after shrinking, and what
 * happened last. `FOLKMOOT_SEED=17` runs one alone, `FOLKMOOT_SEEDS=2000` runs more, `./folkmoot sim --seed 17` shows it.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const SEEDS = 200;
const RUNNER = fileURLToPath(new URL('run-seeds.ts', import.meta.url));

interface Line {
  readonly seed: string;
  readonly traceHash: string;
  readonly text?: string;
}

test('in hundreds of seeded worlds nothing wrong happens, and everybody honest finishes and is credited', async () => {
  const { FOLKMOOT_SEED: one, FOLKMOOT_SEEDS: count = String(SEEDS) } = process.env;
  const jobs = one === undefined ? Math.max(1, Math.min(4, availableParallelism())) : 1;
  const each = Math.ceil(Number(count) / jobs);
  const parts = Array.from({ length: jobs }, (_, i) =>
    run(one === undefined ? [String(i), String(each), String(jobs)] : [one, '1']),
  );
  const lines = (await Promise.all(parts)).flat();
  const failed = lines.filter(({ text }) => text !== undefined);
  assert.equal(failed.length, 0, failed.map(({ text }) => text).join('\n\n'));
  assert.equal(lines.length, one === undefined ? each * jobs : 1);
});

async function run(args: string[]): Promise<Line[]> {
  const child = spawn(process.execPath, [RUNNER, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await new Promise((resolve) => child.on('close', resolve));
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}
