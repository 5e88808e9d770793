/** Some of many cases, others at every commit: what is too dear to run whole each time is run whole over a few days. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { SeededRandom, shuffled } from '@folkmoot/core';

const ALL = process.env.FOLKMOOT_ALL !== undefined;

/** `count` of `cases`, drawn by the commit (where there is none, always the same); all of them with `FOLKMOOT_ALL=1`. */
export function rotating<T>(cases: readonly T[], count: number): readonly T[] {
  return ALL ? cases : shuffled(new SeededRandom(commit()), [...cases]).slice(0, count);
}

function commit(): string {
  const cwd = fileURLToPath(new URL('.', import.meta.url));
  const { status, stdout } = spawnSync('git', ['rev-parse', 'HEAD'], { cwd, encoding: 'utf8' });
  return status === 0 ? stdout : 'no commit';
}
