/** Plants one bug in a process of its own and waits until somebody notices. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { AIMS } from './aims.ts';
import type { PlantedBug } from './bug.ts';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const ROOT = path('../../../..');
const HOOK = new URL('hook.ts', import.meta.url).href;
/** Whoever notices does so in less than a tenth of it. */
const LONGEST_MS = 10 * 60_000;

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

export interface Sowing {
  readonly from?: number;
  readonly count: number;
  /** Ends the process that has the bug. */
  readonly signal?: AbortSignal;
}

/** Runs the worlds that every commit runs, from seed `from` on, until one fails; or the test file, until a test fails. */
export async function plant(bug: PlantedBug, sowing: Sowing): Promise<Catch> {
  return (bug.by ?? 'worlds') === 'worlds' ? inWorlds(bug, sowing) : inTest(bug, sowing);
}

async function inWorlds(bug: PlantedBug, { from = 0, count, signal }: Sowing): Promise<Catch> {
  const { out, isCut } = await run(bug, [path('../world/run-seeds.ts'), String(from), String(count)], signal);
  const lines = out.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Line] : []));
  const caught = lines.find(({ invariant }) => invariant !== undefined);
  const cpuSeconds = lines.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / 1000;
  return {
    bug,
    by: caught && `${caught.invariant} ${caught.checker}`,
    ...(caught && { seed: caught.seed }),
    worlds: lines.length,
    cpuSeconds,
    message: caught?.message ?? (lines.length === 0 ? out.slice(-500) : unnoticed(isCut)),
  };
}

/** How node's runner tells of the first test that fails. */
const FAILED = /^\s*not ok \d+ - (.*)$/m;

async function inTest(bug: PlantedBug, { signal }: Sowing): Promise<Catch> {
  const startedMs = performance.now();
  const args = ['--test', '--test-reporter=tap', '--test-isolation=none', `${ROOT}/${bug.by}`];
  // The tests after the first that fails say nothing more.
  const { out, isCut } = await run(bug, args, signal, FAILED);
  const failed = FAILED.exec(out)?.[1];
  const isFalse = failed !== undefined && (await failsAnyway(failed, args, signal));
  const cpuSeconds = (performance.now() - startedMs) / 1000;
  const message = isFalse ? `“${failed}” fails without the bug as well` : (failed ?? unnoticed(isCut));
  return { bug, by: failed === undefined || isFalse ? undefined : `test “${failed}”`, worlds: 0, cpuSeconds, message };
}

/** A test that fails on this machine whatever is in the source, such as a busy one, has noticed nothing. */
async function failsAnyway(name: string, args: string[], signal?: AbortSignal): Promise<boolean> {
  const pattern = name.replace(/\\([#\\])/g, '$1').replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  const [first, ...others] = args;
  const { out } = await run(undefined, [first!, `--test-name-pattern=${pattern}`, ...others], signal);
  return !new RegExp(`^\\s*ok \\d+ - ${pattern}`, 'm').test(out.replace(/\\([#\\])/g, '$1'));
}

function unnoticed(isCut: boolean): string {
  return isCut ? `nothing was noticed in ${LONGEST_MS / 60_000} minutes` : 'nothing was noticed';
}

/** What a process with the bug, or with none, says until it ends, or until it has said `enough`, or for too long (`isCut`). */
async function run(
  bug: PlantedBug | undefined,
  args: string[],
  signal?: AbortSignal,
  enough?: RegExp,
): Promise<{ out: string; isCut: boolean }> {
  const child = spawn(process.execPath, [...(bug ? ['--import', HOOK] : []), ...args], {
    cwd: ROOT,
    env: {
      ...process.env,
      FOLKMOOT_PLANT: bug?.name,
      FOLKMOOT_SHRINK: '0',
      FOLKMOOT_AIM: AIMS[bug?.name ?? ''] ?? '',
      NODE_TEST_CONTEXT: undefined,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let isCut = false;
  const end = () => void child.kill();
  const cut = setTimeout(() => {
    isCut = true;
    end();
  }, LONGEST_MS);
  signal?.addEventListener('abort', end, { once: true });
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk;
      if (enough?.test(out)) end();
    });
  await new Promise((resolve) => child.on('close', resolve));
  clearTimeout(cut);
  signal?.removeEventListener('abort', end);
  return { out, isCut };
}
