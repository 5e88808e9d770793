import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isWorldError, utf8 } from '@folkmoot/core';
import { openDiskStore } from './disk-store.ts';
import { ReadingStore } from './reading-store.ts';

test('reads what is below, and puts above', async (t) => {
  const { below, above, reading } = await stores(t);
  const old = await below.put(utf8('below'));
  const fresh = await reading.put(utf8('above'));
  assert.deepEqual(await reading.get(old), utf8('below'));
  assert.deepEqual(await reading.read(old, 2, 2), utf8('lo'));
  assert.equal(await reading.size(old), 5);
  assert.deepEqual(await reading.get(fresh), utf8('above'));
  assert.equal(await below.size(fresh), undefined);
  assert.equal(await above.size(fresh), 5);
});

test('what is damaged below counts as absent, stays where it is, and may arrive above', async (t) => {
  const { path, below, reading } = await stores(t);
  const id = await below.put(utf8('whole'));
  const file = join(path, 'objects', id.slice(0, 2), id.slice(2));
  await writeFile(file, 'whale');
  await assert.rejects(reading.get(id), (error) => isWorldError(error, 'artifact-corrupt'));
  assert.equal(await reading.size(id), undefined);
  await assert.rejects(reading.get(id), (error) => isWorldError(error, 'artifact-missing'));
  await assert.rejects(reading.read(id, 0, 1), (error) => isWorldError(error, 'artifact-missing'));
  assert.equal(await readFile(file, 'utf8'), 'whale');
  const incoming = await reading.receive(id, 5);
  await incoming.append(utf8('whole'));
  assert.ok(await incoming.finish());
  assert.deepEqual(await reading.get(id), utf8('whole'));
});

async function stores(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'folkmoot-reading-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'below');
  const below = await openDiskStore({ path });
  const above = await openDiskStore({ path: join(folder, 'above') });
  return { path, below, above, reading: new ReadingStore(path, above) };
}
