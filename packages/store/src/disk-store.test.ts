import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { isWorldError, sha256, utf8 } from '@folkmoot/core';
import { openDiskStore } from './disk-store.ts';

const STORE = JSON.stringify(import.meta.resolve('./disk-store.ts'));
const JOURNAL = JSON.stringify(import.meta.resolve('./journal.ts'));
const CELLS = JSON.stringify(import.meta.resolve('./cells.ts'));

test('a full disk is a coded error with the numbers, and what was there stays whole', async (t) => {
  const path = await folder(t);
  const kept = await (await openDiskStore({ path })).put(new Uint8Array(1000).fill(7));
  // The limit of the shell, 64 KiB per file, stands for a full disk: the write fails in the middle.
  const report = await runLimited(`
    const { openDiskStore } = await import(${STORE});
    const { openJournal } = await import(${JOURNAL});
    const { openCells } = await import(${CELLS});
    const path = ${JSON.stringify(path)};
    const store = await openDiskStore({ path });
    const big = new Uint8Array(1 << 20);
    const codes = [];
    const attempt = async (work) => { try { await work(); codes.push('written'); } catch (error) { codes.push(error.code, error.facts?.neededBytes); } };
    await attempt(() => store.put(big));
    const incoming = await store.receive('ab'.repeat(32), 1 << 20);
    await attempt(() => incoming.append(big.subarray(0, 60_000)));
    await attempt(() => incoming.append(big.subarray(0, 60_000)));
    await incoming.pause();
    codes.push(incoming.offset, store.usedBytes);
    const cells = await openCells(path + '/cells');
    await attempt(() => cells.write('big', big));
    const journal = await openJournal(path + '/journal');
    await attempt(() => journal.append(['small']));
    await attempt(() => journal.append(['x'.repeat(100_000)]));
    await attempt(() => journal.append(['after']));
    for await (const line of journal.lines()) codes.push(line);
    console.log(JSON.stringify(codes));
  `);
  const expected = ['disk-full', 1 << 20, 'written', 'disk-full', 60_000, 60_000, 61_000, 'disk-full', 1 << 20];
  assert.deepEqual(JSON.parse(report), [...expected, 'written', 'disk-full', 100_001, 'written', 'small', 'after']);
  assert.equal(await readFile(join(path, 'journal'), 'utf8'), 'small\nafter\n');
  const store = await openDiskStore({ path });
  assert.deepEqual(await collectIds(store.ids()), [kept]);
  const resumed = await store.receive('ab'.repeat(32), 1 << 20);
  assert.equal(resumed.offset, 60_000);
  await resumed.pause();
  assert.deepEqual(await readdir(join(path, 'temporary')), []);
});

test('a process killed while it writes leaves whole artifacts only', async (t) => {
  const path = await folder(t);
  for (const delayMs of [3, 10, 25]) {
    const child = spawn(process.execPath, [
      '--input-type=module',
      '-e',
      `
      const { openDiskStore } = await import(${STORE});
      const store = await openDiskStore({ path: ${JSON.stringify(path)} });
      process.stdout.write('ready');
      for (let i = 0; ; i++) await Promise.all([1, 2, 3].map((k) => store.put(new Uint8Array(3_000_000 + k).fill(i + ${delayMs}))));
    `,
    ]);
    await once(child.stdout, 'data');
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    child.kill('SIGKILL');
    await once(child, 'exit');
    const store = await openDiskStore({ path });
    let sum = 0;
    for await (const id of store.ids()) sum += (await store.get(id)).length;
    assert.equal(store.usedBytes, sum);
    assert.deepEqual(await readdir(join(path, 'temporary')), []);
  }
});

test('a damaged artifact is set aside where a person can look at it', async (t) => {
  const path = await folder(t);
  const store = await openDiskStore({ path });
  const id = await store.put(utf8('good'));
  await writeFile(join(path, 'objects', id.slice(0, 2), id.slice(2)), 'evil');
  await assert.rejects(
    store.get(id),
    (error) => isWorldError(error, 'artifact-corrupt') && /set aside/.test(error.message),
  );
  assert.equal(await readFile(join(path, 'corrupt', id), 'utf8'), 'evil');
  assert.equal(store.usedBytes, 0);
});

test('the same bytes stored by many at once are stored and counted once', async (t) => {
  const store = await openDiskStore({ path: await folder(t), maxBytes: 1000 });
  const ids = await Promise.all(Array.from({ length: 20 }, () => store.put(new Uint8Array(600))));
  assert.deepEqual([new Set(ids).size, store.usedBytes], [1, 600]);
});

test('the space of an arriving artifact is reserved, and given back', async (t) => {
  const path = await folder(t);
  const store = await openDiskStore({ path, maxBytes: 1000 });
  const incoming = await store.receive(sha256(new Uint8Array(900)), 900);
  await assert.rejects(store.put(new Uint8Array(101)), (error) => isWorldError(error, 'store-full'));
  await incoming.append(new Uint8Array(300));
  await incoming.pause();
  assert.equal(store.usedBytes, 300);
  assert.equal((await openDiskStore({ path })).usedBytes, 300);
  assert.equal(await store.collect(new Set()), 300);
  assert.equal(store.usedBytes, 0);
});

test('what is filed while a collection runs stays', async (t) => {
  const store = await openDiskStore({ path: await folder(t) });
  for (let i = 0; i < 200; i++) await store.put(utf8(`old ${i}`));
  const collecting = store.collect(new Set());
  const fresh = await store.put(utf8('fresh'));
  const again = await store.put(utf8('old 150'));
  await collecting;
  assert.deepEqual((await collectIds(store.ids())).sort(), [fresh, again].sort());
});

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'folkmoot-store-'));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

async function runLimited(script: string): Promise<string> {
  const command = 'ulimit -f 64; exec "$0" --input-type=module -e "$1"';
  const { stdout } = await promisify(execFile)('bash', ['-c', command, process.execPath, script]);
  return stdout;
}

async function collectIds(ids: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const id of ids) all.push(id);
  return all;
}
