/** `mirror` in full: every sound artifact of a run's store under `artifacts/<sha256>`, each written whole or not at all. */
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Hash, isHash, sha256, WorldError } from '@folkmoot/core';
import type { Invocation } from '../invocation.ts';
import { formatBytes } from '../ui/format.ts';
import { openRun } from './open-run.ts';

export async function runMirror(call: Invocation, selector: string | undefined, path: string): Promise<void> {
  const run = await openRun(call.home, selector);
  const folder = join(resolve(path), 'artifacts');
  const signal = call.stopSignal();
  await mkdir(folder, { recursive: true }).catch(cannotWrite(folder));
  const there = new Set(await readdir(folder));
  const objects = join(run.folder.store, 'objects');
  const ids = await idsIn(objects);
  const sum = { written: 0, bytes: 0, damaged: 0 };
  for (const id of ids) {
    signal.throwIfAborted();
    if (there.has(id)) continue;
    // Collected meanwhile by the member that runs, or damaged: not worth a mirror's promise.
    const bytes = await readFile(join(objects, id.slice(0, 2), id.slice(2))).catch(() => undefined);
    if (!bytes || sha256(bytes) !== id) {
      sum.damaged++;
      continue;
    }
    await writeFile(join(folder, `.${id}`), bytes).catch(cannotWrite(folder));
    await rename(join(folder, `.${id}`), join(folder, id));
    sum.written++;
    sum.bytes += bytes.length;
  }
  call.object({ run: run.note.run, folder, artifacts: ids.length, ...sum });
  call.say(
    `${sum.written} artifacts, ${formatBytes(sum.bytes)}, written to ${folder}; ${ids.length - sum.written - sum.damaged} were there.`,
  );
  call.note('Serve the folder above it, and name its address: folkmoot invite --mirror https://…');
}

async function idsIn(objects: string): Promise<Hash[]> {
  const ids: Hash[] = [];
  for (const front of await readdir(objects).catch(() => []))
    for (const rest of await readdir(join(objects, front)).catch(() => []))
      if (isHash(front + rest)) ids.push(front + rest);
  return ids.sort();
}

function cannotWrite(folder: string): (cause: NodeJS.ErrnoException) => never {
  return (cause) => {
    throw new WorldError('mirror-unwritable', `The folder cannot be written: ${cause.code}.`, {
      facts: { folder },
      help: 'Choose another folder, or free some space there.',
      cause,
    });
  };
}
