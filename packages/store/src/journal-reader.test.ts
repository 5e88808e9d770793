import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openJournal } from './journal.ts';
import { JournalReader } from './journal-reader.ts';

test('reads on from where it stopped, while another handle writes', async (t) => {
  const path = await file(t);
  const reader = new JournalReader(path);
  assert.deepEqual(await reader.read(), []);
  const journal = await openJournal(path);
  await journal.append(['a\u2028b', '']);
  assert.deepEqual(await reader.read(), ['a\u2028b', '']);
  assert.deepEqual(await reader.read(), []);
  await journal.append(['c']);
  assert.deepEqual(await reader.read(), ['c']);
  await journal.close();
});

test('leaves a torn line until it is whole, in the midst of a character too', async (t) => {
  const path = await file(t);
  const reader = new JournalReader(path);
  const bytes = Buffer.from('first\nzwölf\n');
  await appendFile(path, bytes.subarray(0, 9));
  assert.deepEqual(await reader.read(), ['first']);
  await appendFile(path, bytes.subarray(9));
  assert.deepEqual(await reader.read(), ['zwölf']);
});

test('a journal whose end was taken back is read again from its start', async (t) => {
  const path = await file(t);
  const reader = new JournalReader(path);
  const journal = await openJournal(path);
  await journal.append(['a', 'b', 'c']);
  assert.deepEqual(await reader.read(), ['a', 'b', 'c']);
  await journal.truncate(1);
  assert.deepEqual(await reader.read(), ['a']);
  assert.equal(reader.turns, 1);
  await journal.append(['d', 'e']);
  assert.deepEqual(await reader.read(), ['d', 'e']);
  // As long as before, and another.
  await journal.truncate(2);
  await journal.append(['f']);
  assert.deepEqual(await reader.read(), ['a', 'd', 'f']);
  assert.equal(reader.turns, 2);
  await journal.close();
});

test('lines longer than a read', async (t) => {
  const path = await file(t);
  const lines = ['ü'.repeat(400_000), 'x', 'y'.repeat(600_000)];
  await appendFile(path, `${lines.join('\n')}\ntorn`);
  assert.deepEqual(await new JournalReader(path).read(), lines);
});

async function file(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'folkmoot-reader-'));
  t.after(() => rm(path, { recursive: true }));
  return join(path, 'log.jsonl');
}
