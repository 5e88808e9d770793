/** Artifacts in the stores of a home, read without opening them: the member that owns a store may be running. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Hash, isHash, sha256, WorldError } from '@folkmoot/core';
import { listRuns, runFolder } from './run/run-folder.ts';

/** Fewer digits would name too many. */
const SHORTEST_PREFIX = 6;

/**
 * The bytes of the artifact that `digits`, an id or at least six of its first digits, names, from any run in `home`.
 *
 * Throws `artifact-missing`, `artifact-ambiguous`, `artifact-corrupt`, or `artifact-too-large` above `maxBytes`.
 */
export async function findArtifact(home: string, digits: string, maxBytes: number): Promise<Uint8Array> {
  const found = await filesOf(home, digits);
  if (found.size > 1) {
    throw new WorldError('artifact-ambiguous', 'More than one artifact starts with these digits.', {
      facts: { digits, artifacts: found.size },
      help: 'Give more digits of the id.',
    });
  }
  for (const [id, path] of found) return readVerified(id, path, maxBytes);
  throw new WorldError('artifact-missing', 'No run in this home has an artifact of that name.', {
    facts: { home, digits },
    help: 'Give a file, an id, or at least six of its first digits. Another home is named with --home DIR.',
  });
}

async function filesOf(home: string, digits: string): Promise<Map<Hash, string>> {
  const found = new Map<Hash, string>();
  if (digits.length < SHORTEST_PREFIX || !/^[0-9a-f]{1,64}$/.test(digits)) return found;
  for (const run of await listRuns(home)) {
    const folder = join(runFolder(home, run).store, 'objects', digits.slice(0, 2));
    for (const rest of await readdir(folder).catch(() => [])) {
      const id = digits.slice(0, 2) + rest;
      if (id.startsWith(digits) && isHash(id)) found.set(id, join(folder, rest));
    }
  }
  return found;
}

async function readVerified(id: Hash, path: string, maxBytes: number): Promise<Uint8Array> {
  const { size } = await stat(path);
  if (size > maxBytes) {
    throw new WorldError('artifact-too-large', 'This artifact is larger than what was asked for can be.', {
      facts: { id, sizeBytes: size, maxBytes },
      help: 'Updates, bases and shards are artifacts too: check the id.',
    });
  }
  const bytes = await readFile(path);
  if (sha256(bytes) === id) return bytes;
  throw new WorldError('artifact-corrupt', 'The file of this artifact does not hash to its name.', {
    facts: { id, file: path },
    help: 'The member sets it aside and fetches it again when it next reads it.',
  });
}
