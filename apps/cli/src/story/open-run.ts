/** A run in this home, opened for reading: a member of the same home may be writing it meanwhile. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Hash, sha256, WorldError } from '@folkmoot/core';
import { keptShares } from '@folkmoot/node';
import type { Share } from '@folkmoot/protocol';
import { type Charter, parseCharter } from '@folkmoot/records';
import { findRun, type RunFolder, type RunNote, runFolder } from '../run/run-folder.ts';

export interface OpenRun {
  readonly home: string;
  readonly note: RunNote;
  readonly folder: RunFolder;
  readonly charter: Charter;
  /** What accounts brought into a fork. */
  readonly shares: readonly Share[] | undefined;
}

/** The run of `selector` (an id, its first digits, or the current run). Throws `no-run`, `run-not-entered`. */
export async function openRun(home: string, selector?: string): Promise<OpenRun> {
  const note = await findRun(home, selector);
  const folder = runFolder(home, note.run);
  const charterOf = (run: Hash) => readCharter(folder, run);
  const charter = await charterOf(note.run);
  const shares = await keptShares(charter, (id) => readObject(folder, id, 'the credits that it carries'), charterOf);
  return { home, note, folder, charter, shares };
}

async function readCharter(folder: RunFolder, run: Hash): Promise<Charter> {
  const parsed = parseCharter(await readObject(folder, run, 'its charter'), run);
  if (parsed.ok) return parsed.value;
  throw notEntered(folder, run, 'its charter', parsed.reason);
}

async function readObject(folder: RunFolder, id: Hash, what: string): Promise<Uint8Array> {
  const bytes = await readFile(join(folder.store, 'objects', id.slice(0, 2), id.slice(2))).catch(() => undefined);
  if (bytes && sha256(bytes) === id) return bytes;
  throw notEntered(folder, id, what, bytes && 'its bytes do not hash to its name');
}

function notEntered({ path }: RunFolder, id: Hash, what: string, reason: string | undefined): WorldError {
  return new WorldError('run-not-entered', `This home knows the run, but does not have ${what}.`, {
    facts: { artifact: id, folder: path, ...(reason !== undefined && { reason }) },
    help: 'It has not reached another member yet, or its store was deleted: run the command that entered the run again.',
  });
}
