/** Where a run lives in a member's home: `runs/<id>/` with its log, its store and what this member must remember. */
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Hash, isHash, WorldError } from '@folkmoot/core';

/** What a member knows of a run beside the log. */
export interface RunNote {
  readonly run: Hash;
  readonly name: string;
  /** Addresses of members, from the invite; empty for the creator. */
  readonly doors: readonly string[];
  /** The port of last time, so that old invites stay good. */
  readonly port: number;
  /** Where this member could be reached last time: for invites that are made while it does not run. */
  readonly addresses: readonly string[];
  /** The command that made the run here, in a form that can be compared: the same command goes on with the same run. */
  readonly command: string;
}

export interface RunFolder {
  readonly path: string;
  readonly store: string;
  readonly journal: string;
  readonly cells: string;
}

export function runFolder(home: string, run: Hash): RunFolder {
  const path = join(home, 'runs', run);
  return { path, store: join(path, 'store'), journal: join(path, 'log.jsonl'), cells: join(path, 'cells') };
}

/** Files the note and makes the run the current one. */
export async function keepRun(home: string, note: RunNote): Promise<void> {
  const { path } = runFolder(home, note.run);
  await mkdir(path, { recursive: true });
  await replaceFile(join(path, 'run.json'), `${JSON.stringify(note, null, 2)}\n`);
  await replaceFile(join(home, 'current-run'), `${note.run}\n`);
}

/** The note of `run`, or `undefined` where this home does not know it. */
export async function readRunNote(home: string, run: Hash): Promise<RunNote | undefined> {
  const text = await readFile(join(runFolder(home, run).path, 'run.json'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as RunNote);
}

/** The run that this home took part in last. Throws `no-run`. */
export async function currentRun(home: string): Promise<RunNote> {
  const run = (await readFile(join(home, 'current-run'), 'utf8').catch(() => '')).trim();
  const note = isHash(run) ? await readRunNote(home, run) : undefined;
  if (note) return note;
  throw new WorldError('no-run', 'This home takes part in no run.', {
    facts: { home },
    help: 'Start one with "folkmoot up" or "folkmoot create", or enter one with "folkmoot join INVITE". Another home is named with --home DIR.',
  });
}

/** The run of `selector`: an id or its first digits; the current one where it is absent. Throws `no-run`. */
export async function findRun(home: string, selector?: string): Promise<RunNote> {
  if (selector === undefined) return currentRun(home);
  const runs = (await readdir(join(home, 'runs')).catch(() => [])).filter((run) => run.startsWith(selector));
  const note = runs.length === 1 ? await readRunNote(home, runs[0]!) : undefined;
  if (note) return note;
  throw new WorldError(
    'no-run',
    runs.length > 1 ? 'More than one run here starts with these digits.' : 'This home does not know that run.',
    {
      facts: { home, run: selector },
      help: 'Give the first digits of a run id; "folkmoot status --all" lists them.',
    },
  );
}

/** Ids of all runs in this home. */
export async function listRuns(home: string): Promise<Hash[]> {
  return (await readdir(join(home, 'runs')).catch(() => [])).filter(isHash);
}

/** Whole or not at all: a crash in between leaves the old file. */
async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}
