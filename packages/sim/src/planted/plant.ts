/** Plants one bug in a process of its own and waits until somebody notices. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { AIMS } from './aims.ts';
import type { PlantedBug } from './bug.ts';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const ROOT = path('../../../..');
const HOOK = new URL('hook.ts', import.meta.url).href;
const LONGEST_MS = 15 * 60_000;

/** Who noticed, or nobody. */
export interface Catch {
  readonly bug: PlantedBug;
  /** The invariant and the checker, or the test. */
  readonly by: string | undefined;
  /** At which seed; absent for tests. */
  readonly seed?: string;
  /** Worlds that were run. */
  readonly worlds: number;
  /** Processor time of all of it, seconds. */
  readonly cpuSeconds: number;
  /** What was said. */
  readonly message: string;
}

interface Line {
  readonly seed: string;
  readonly invariant?: string;
  readonly checker?: string;
  readonly message?: string;
  readonly cpuMs: number;
}

/** Runs the worlds that every commit runs, from seed `from` on, until one fails; or the test file. */
export async function plant(bug: PlantedBug, seeds: { from?: number; count: number }): Promise<Catch> {
  return (bug.by ?? 'worlds') === 'worlds' ? inWorlds(bug, seeds.from ?? 0, seeds.count) : inTest(bug);
}

async function inWorlds(bug: PlantedBug, from: number, count: number): Promise<Catch> {
  const out = await run(bug, [path('../world/run-seeds.ts'), String(from), String(count)]);
  const lines = out.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Line] : []));
  const caught = lines.find(({ invariant }) => invariant !== undefined);
  const cpuSeconds = lines.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / 1000;
  return {
    bug,
    by: caught && `${caught.invariant} ${caught.checker}`,
    ...(caught && { seed: caught.seed }),
    worlds: lines.length,
    cpuSeconds,
    message: caught?.message ?? (lines.length === 0 ? out.slice(-500) : 'nothing was noticed'),
  };
}

async function inTest(bug: PlantedBug): Promise<Catch> {
  const startedMs = performance.now();
  const out = await run(bug, ['--test', '--test-reporter=tap', '--test-isolation=none', `${ROOT}/${bug.by}`]);
  const failed = /^\s*not ok \d+ - (.*)$/m.exec(out)?.[1];
  const cpuSeconds = (performance.now() - startedMs) / 1000;
  return { bug, by: failed && `test “${failed}”`, worlds: 0, cpuSeconds, message: failed ?? 'nothing was noticed' };
}

async function run(bug: PlantedBug, args: string[]): Promise<string> {
  const child = spawn(process.execPath, ['--import', HOOK, ...args], {
    cwd: ROOT,
    env: {
      ...process.env,
      FOLKMOOT_PLANT: bug.name,
      FOLKMOOT_SHRINK: '0',
      FOLKMOOT_AIM: AIMS[bug.name] ?? '',
      NODE_TEST_CONTEXT: undefined,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LONGEST_MS,
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  await new Promise((resolve) => child.on('close', resolve));
  return text;
}
