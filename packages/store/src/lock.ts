/** One process per home: a lock file that says who holds it, and is taken over from the dead. */
import { link, mkdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WorldError } from '@folkmoot/core';
import { errnoOf, ifThere, onDisk } from './files.ts';

const FILE_NAME = 'lock';
/** A takeover lost to another process is tried again; more often than this it is not chance. */
const ATTEMPTS = 5;

interface Holder {
  readonly pid: number;
  /** Boot id and start time: process ids are used again. Empty where the system does not tell. */
  readonly start: string;
}

/**
 * Holds `home` for this process; resolves to the function that lets it go.
 *
 * Throws `home-in-use` while another living process holds it.
 */
export async function lockHome(home: string): Promise<() => Promise<void>> {
  await onDisk(home, 0, () => mkdir(home, { recursive: true }));
  const path = join(home, FILE_NAME);
  const mine: Holder = { pid: process.pid, start: await startOf(process.pid) };
  let held: Holder | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await create(path, mine)) return () => release(path, mine);
    held = await readHolder(path);
    if (held && (await isAlive(held))) break;
    await setAsideStale(path, held);
  }
  throw homeInUse(home, held?.pid ?? 0);
}

/** The process that holds `home`; `undefined` where none does. */
export async function lockHolder(home: string): Promise<number | undefined> {
  const holder = await readHolder(join(home, FILE_NAME));
  return holder && (await isAlive(holder)) ? holder.pid : undefined;
}

/** Makes the lock file with its content in one step, so that nobody reads it empty; `false` where there is one. */
async function create(path: string, holder: Holder): Promise<boolean> {
  const draft = uniqueName(path, 'new');
  return onDisk(path, 0, async () => {
    await writeFile(draft, JSON.stringify(holder));
    try {
      await link(draft, path);
      return true;
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return false;
      throw error;
    } finally {
      await unlink(draft);
    }
  });
}

/** `undefined` where there is no lock file, or one that says nothing. */
async function readHolder(path: string): Promise<Holder | undefined> {
  const text = await ifThere(readFile(path, 'utf8'));
  try {
    const { pid, start } = JSON.parse(text ?? '');
    if (Number.isSafeInteger(pid) && pid > 0 && typeof start === 'string') return { pid, start };
  } catch {
    // Not written by us, or damaged: nobody can be named, so nobody is kept out.
  }
  return undefined;
}

/** Removes the lock of `stale`; gives it back where another process took it over in between. */
export async function setAsideStale(path: string, stale: Holder | undefined): Promise<void> {
  const aside = uniqueName(path, 'stale');
  if ((await ifThere(rename(path, aside).then(() => true))) === undefined) return;
  const taken = await readHolder(aside);
  if (taken && !(taken.pid === stale?.pid && taken.start === stale.start))
    await ifThere(link(aside, path)).catch(() => {});
  await rm(aside, { force: true });
}

let nameCount = 0;

function uniqueName(path: string, purpose: string): string {
  return `${path}.${purpose}.${process.pid}.${nameCount++}`;
}

async function release(path: string, mine: Holder): Promise<void> {
  const held = await readHolder(path);
  if (held?.pid === mine.pid && held.start === mine.start) await rm(path, { force: true });
}

async function isAlive(holder: Holder): Promise<boolean> {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: it lives, under another user.
    if (errnoOf(error) === 'ESRCH') return false;
  }
  const start = await startOf(holder.pid);
  return start === '' || holder.start === '' || start === holder.start;
}

/** When the process `pid` began, as far as the system tells: on Linux the boot id and clock ticks since boot. */
async function startOf(pid: number): Promise<string> {
  try {
    const [boot, stat] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readFile(`/proc/${pid}/stat`, 'utf8'),
    ]);
    // Field 22; the name in field 2 may hold spaces and parentheses, so count from its end.
    return `${boot.trim()}:${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
  } catch {
    return '';
  }
}

function homeInUse(home: string, pid: number): WorldError {
  return new WorldError('home-in-use', `Another process (${pid}) works in ${home}.`, {
    facts: { home, pid },
    help: `Stop it (kill ${pid}), or choose another home with FOLKMOOT_HOME.`,
  });
}
