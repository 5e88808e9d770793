/**
 * How much memory a process may still take here, without making others swap.
 *
 * On Linux that is the least of what the machine has left and what each control group around the process has left: a
 * container's limit may be far below the machine's memory. Files that a group has only cached count as free.
 */
import { readFile } from 'node:fs/promises';

/** The text of a file, or `undefined` where there is none. */
export type ReadText = (path: string) => Promise<string | undefined>;

/** Bytes. `read`: other files in tests. */
export async function availableMemory(read: ReadText = readText): Promise<number> {
  const meminfo = await read('/proc/meminfo');
  const machine = kilobytes(meminfo, 'MemAvailable');
  if (machine === undefined) return process.availableMemory();
  return Math.max(0, Math.min(machine, ...(await leftInGroups(read))));
}

async function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

function kilobytes(meminfo: string | undefined, name: string): number | undefined {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(meminfo ?? '');
  return found ? 1024 * Number(found[1]) : undefined;
}

/** Where a group's numbers are, and how its version calls them. */
interface Hierarchy {
  readonly root: string;
  readonly limit: string;
  readonly used: string;
  readonly cached: string;
}

const SECOND: Hierarchy = {
  ...{ root: '/sys/fs/cgroup', limit: 'memory.max', used: 'memory.current', cached: 'inactive_file' },
};
const FIRST: Hierarchy = {
  ...{ root: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes', used: 'memory.usage_in_bytes' },
  cached: 'total_inactive_file',
};

async function leftInGroups(read: ReadText): Promise<number[]> {
  const lines = ((await read('/proc/self/cgroup')) ?? '').split('\n').map((line) => line.split(':'));
  const left: number[] = [];
  for (const [, controllers = '', path = ''] of lines) {
    const hierarchy = controllers === '' ? SECOND : controllers.split(',').includes('memory') ? FIRST : undefined;
    if (hierarchy) for (const folder of foldersUp(path)) left.push(...(await leftIn(hierarchy, folder, read)));
  }
  return left;
}

/** `/a/b`, `/a` and the root: a limit holds for everything below it. */
function foldersUp(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '..');
  return [...parts.keys(), parts.length].map((count) =>
    parts
      .slice(0, count)
      .map((part) => `/${part}`)
      .join(''),
  );
}

async function leftIn({ root, limit, used, cached }: Hierarchy, folder: string, read: ReadText): Promise<number[]> {
  const number = async (name: string) => Number((await read(`${root}${folder}/${name}`)) ?? Number.NaN);
  const [most, now] = [await number(limit), await number(used)];
  // No limit is `max`, or in the first version a number beyond all memory.
  if (!Number.isFinite(most) || !Number.isFinite(now)) return [];
  const stat = await read(`${root}${folder}/memory.stat`);
  const found = new RegExp(`^${cached} (\\d+)$`, 'm').exec(stat ?? '');
  return [most - now + Number(found?.[1] ?? 0)];
}
