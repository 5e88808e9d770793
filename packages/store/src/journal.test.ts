import assert from 'node:assert/strict';
import { appendFile, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
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

test('marks that are lost, cut short, damaged or another journal’s cost a scan and no line', async (t) => {
  const path = await file(t);
  const lines = Array.from({ length: 500 }, (_, i) => `line ${i}`.padEnd(1 + ((i * 37) % 900), '.'));
  const first = await openJournal(path);
  await first.append(lines);
  await first.close();
  const marks = await readFile(`${path}.marks`);
  assert.equal(marks.length, 12 * Math.floor(500 / 64));
  const change = (at: number, by: number) => marks.map((byte, i) => (i === at ? byte ^ by : byte));
  const cases = [
    new Uint8Array(0),
    marks.subarray(0, 12 * 3 + 5),
    new Uint8Array(marks.length),
    Uint8Array.of(...marks, ...marks),
    change(marks.length - 1, 1),
    change(marks.length - 5, 1),
    change(marks.length - 5, 16),
    // The last marks are gone as well: what lies before the damage must not be believed beyond it.
    change(12 * 3 + 7, 3).subarray(0, 12 * 4),
  ];
  for (const bytes of cases) {
    await writeFile(`${path}.marks`, bytes);
    const journal = await openJournal(path);
    assert.equal(journal.count, 500);
    assert.deepEqual(await read(journal, 333, 340), lines.slice(333, 340));
    assert.deepEqual(await read(journal), lines);
    await journal.close();
    assert.deepEqual(await readFile(`${path}.marks`), marks, 'what was false is mended');
  }
});

test('a journal is opened without reading what lies before its last mark', async (t) => {
  const path = await file(t);
  const first = await openJournal(path);
  await first.append(Array.from({ length: 500 }, (_, i) => `line ${i}`));
  await first.close();
  // A line end less, which only a scan could notice.
  const disk = await open(path, 'r+');
  await disk.write('x', 6);
  await disk.close();
  const journal = await openJournal(path);
  assert.equal(journal.count, 500);
  assert.deepEqual(await read(journal, 400, 402), ['line 400', 'line 401']);
  await journal.close();
});

async function read(journal: Journal, from?: number, to?: number): Promise<string[]> {
  const all: string[] = [];
  for await (const line of journal.lines(from, to)) all.push(line);
  return all;
}

async function file(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'folkmoot-journal-'));
  t.after(() => rm(path, { recursive: true }));
  return join(path, 'deep', 'log');
}
