import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isWorldError, sha256, utf8 } from '@folkmoot/core';
import { openDiskStore } from './disk-store.ts';
import { shareArtifacts } from './share-artifacts.ts';

test('what is whole is shared, what is damaged or absent is told, and neither store can harm the other', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'folkmoot share '));
  t.after(() => rm(root, { recursive: true }));
  const [from, to] = [join(root, 'from'), join(root, 'to')];
  const source = await openDiskStore({ path: from });
  const [whole, damaged] = [await source.put(utf8('whole')), await source.put(utf8('damaged'))];
  const pathOf = (store: string, id: string) => join(store, 'objects', id.slice(0, 2), id.slice(2));
  await writeFile(pathOf(from, damaged), 'demaged');
  const absent = sha256(utf8('absent'));
  assert.deepEqual(await shareArtifacts(from, to, [whole, damaged, absent, whole]), [damaged, absent]);
  const target = await openDiskStore({ path: to });
  assert.equal(target.usedBytes, 5);
  assert.deepEqual(await target.get(whole), utf8('whole'));
  assert.equal((await stat(pathOf(to, whole))).ino, (await stat(pathOf(from, whole))).ino, 'one file, no copy');
  // A store mends and drops names, not files.
  await source.put(utf8('damaged'));
  await target.collect(new Set());
  assert.deepEqual(await source.get(whole), utf8('whole'));
  await assert.rejects(target.get(whole), (error) => isWorldError(error, 'artifact-missing'));
});
