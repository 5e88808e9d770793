/** A run in this home, opened for reading: a member of the same home may be writing it meanwhile. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Hash, sha256, WorldError } from '@folkmoot/core';
import { type Charter, parseCharter } from '@folkmoot/records';
import { findRun, type RunFolder, type RunNote, runFolder } from '../run/run-folder.ts';

export interface OpenRun {
  readonly home: string;
  readonly note: RunNote;
  readonly folder: RunFolder;
  readonly charter: Charter;
}

/** The run of `selector` (an id, its first digits, or the current run). Throws `no-run`, `run-not-entered`. */
export async function openRun(home: string, selector?: string): Promise<OpenRun> {
  const note = await findRun(home, selector);
  const folder = runFolder(home, note.run);
  return { home, note, folder, charter: await readCharter(folder, note.run) };
}

async function readCharter(folder: RunFolder, run: Hash): Promise<Charter> {
  const path = join(folder.store, 'objects', run.slice(0, 2), run.slice(2));
  const bytes = await readFile(path).catch(() => undefined);
  const parsed = bytes && sha256(bytes) === run ? parseCharter(bytes, run) : undefined;
  if (parsed?.ok) return parsed.value;
  throw new WorldError('run-not-entered', 'This home knows the run, but does not have its charter.', {
    facts: { run, folder: folder.path, ...(parsed && { reason: parsed.reason }) },
    help: 'It has not reached another member yet, or its store was deleted: run the command that entered the run again.',
  });
}
