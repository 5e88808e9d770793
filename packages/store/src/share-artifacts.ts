/** Artifacts of one store on disk for another: linked where both are on one file system, copied elsewhere. */
import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { copyFile, link, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { assert, type Hash, isHash } from '@folkmoot/core';
import { ifThere, onDisk } from './files.ts';

/**
 * Files `ids` of the store in folder `from`, which may be in use, in that in folder `to`, which may not. Each is read whole
 * and must have its hash. Returns those that are not there, or damaged. Throws `disk-full`.
 *
 * A store replaces files and never writes into them, so that two stores may share one.
 */
export async function shareArtifacts(from: string, to: string, ids: Iterable<Hash>): Promise<Hash[]> {
  const missing: Hash[] = [];
  for (const id of ids) {
    const source = objectPath(from, id);
    if ((await ifThere(hashOfFile(source))) !== id) missing.push(id);
    else await onDisk(to, 0, () => linkOrCopy(source, objectPath(to, id)));
  }
  return missing;
}

async function linkOrCopy(source: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await rm(target, { force: true });
  try {
    await link(source, target);
  } catch {
    // Another file system, or one without links. Whole or not at all: the copy is renamed.
    const draft = `${target}.new`;
    await copyFile(source, draft, constants.COPYFILE_FICLONE);
    await rename(draft, target);
  }
}

async function hashOfFile(path: string): Promise<Hash> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

function objectPath(root: string, id: Hash): string {
  assert(isHash(id), 'an artifact is named by its hash');
  return join(root, 'objects', id.slice(0, 2), id.slice(2));
}
