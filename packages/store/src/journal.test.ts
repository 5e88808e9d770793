import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Journal } from '@folkmoot/core';
import fc from 'fast-check';
import { openJournal } from './journal.ts';

test('any lines come back as they were, over any number of reads and restarts', async (t) => {
  const path = await file(t);
  const line = fc.string({ unit: 'binary', maxLength: 50 }).map((text) => text.replaceAll('\n', '').toWellFormed());
  const expected: string[] = [];
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(line, { maxLength: 4 }), { maxLength: 4 }), async (groups) => {
      const journal = await openJournal(path);
      await Promise.all(groups.map((lines) => journal.append(lines)));
      expected.push(...groups.flat());
      assert.deepEqual(await read(journal), expected);
      await journal.close();
    }),
    { numRuns: 25 },
  );
});

test('lines longer than a read, and separators that are no line ends', async (t) => {
  const journal = await openJournal(await file(t));
  const lines = ['x'.repeat(200_000), 'a\u2028b\rc', 'ü'.repeat(50_000), ''];
  await journal.append(lines);
  assert.deepEqual(await read(journal), lines);
  await journal.close();
});

test('a torn line of any length is cut off, so that the next line begins anew', async (t) => {
  const path = await file(t);
  const first = await openJournal(path);
  await first.append(['kept']);
  await first.close();
  for (const torn of ['x', 'y'.repeat(65_536), 'z'.repeat(200_000)]) {
    await appendFile(path, torn);
    await (await openJournal(path)).close();
    assert.equal(await readFile(path, 'utf8'), 'kept\n');
  }
});

async function read(journal: Journal): Promise<string[]> {
  const all: string[] = [];
  for await (const line of journal.lines()) all.push(line);
  return all;
}

async function file(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'folkmoot-journal-'));
  t.after(() => rm(path, { recursive: true }));
  return join(path, 'deep', 'log');
}
