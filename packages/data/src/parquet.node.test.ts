import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { WorldError } from '@folkmoot/core';
import { parquetMetadata } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { readParquet } from './parquet.node.ts';
import { type ParquetEvent, parquetEvents } from './parquet.ts';
import { readDocuments } from './read-documents.node.ts';

const compressors = {
  GZIP: (bytes: Uint8Array) => gzipSync(bytes),
  ZSTD: (bytes: Uint8Array) => zstdCompressSync(bytes),
};

async function folderOf(context: TestContext, files: Record<string, Uint8Array>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'folkmoot parquet '));
  context.after(() => rm(root, { recursive: true }));
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(root, name), bytes);
  return root;
}

function table(columns: Record<string, unknown[]>, options = {}): Uint8Array {
  const columnData = Object.entries(columns).map(([name, data]) => ({ name, data }));
  return new Uint8Array(parquetWriteBuffer({ columnData, compressors, ...options }));
}

async function read(root: string, options = {}) {
  const { documents, summary } = await readDocuments([root], options);
  const skipped = Object.fromEntries([...summary.skipped].map(([why, { count, first }]) => [why, `${count} ${first}`]));
  return { texts: documents.map(({ text }) => text), documents, skipped };
}

const lines = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => `row ${from + i}: ${'täxt '.repeat(i % 7)}`);

test('rows of a text column, in every compression, over row groups and pages', async (context) => {
  for (const codec of ['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'ZSTD']) {
    const text = lines(500);
    const file = table({ id: text.map((_, i) => i), content: text }, { codec, rowGroupSize: 120, pageSize: 700 });
    const root = await folderOf(context, { 'a.parquet': file });
    const { documents } = await read(root);
    assert.deepEqual(
      documents.map(({ name, text: one }) => [name, one]),
      text.map((one, i) => [`a.parquet:${i + 1}`, one]),
      codec,
    );
  }
});

test('the column is found by name or named; licences come from the rows', async (context) => {
  const root = await folderOf(context, {
    'a.parquet': table({ title: ['t'], text: ['the text'], content: ['other'], license: ['CC0-1.0'] }),
  });
  const { documents } = await read(root);
  assert.deepEqual([documents[0]!.text, documents[0]!.licence], ['the text', 'CC0-1.0']);
  assert.deepEqual((await read(root, { textField: 'title' })).texts, ['t']);
  await assert.rejects(read(root, { textField: 'titel' }), (error: WorldError) => {
    assert.equal(error.code, 'parquet-no-text');
    assert.match(error.message, /a\.parquet has no column of text called "titel"/);
    assert.match(String(error.facts['columns of text']), /title, text, content, license/);
    assert.match(error.help, /--text-column/);
    return true;
  });
  const numbers = await folderOf(context, { 'n.parquet': table({ text: [1, 2, 3], tags: [['a'], ['b'], ['c']] }) });
  await assert.rejects(read(numbers), { code: 'parquet-no-text' });
});

test('rows without text, and with what is no text, are counted', async (context) => {
  const text = ['one', null, 'three', 'nul\0', '', 'three'];
  const bad = { name: 'text', data: [new Uint8Array([0xff, 0xfe])], type: 'BYTE_ARRAY' as const };
  const root = await folderOf(context, {
    'a.parquet': table({ text }),
    'b.parquet': new Uint8Array(parquetWriteBuffer({ columnData: [bad] })),
  });
  const { texts, skipped } = await read(root);
  assert.deepEqual(texts, ['one', 'three']);
  assert.deepEqual(skipped, {
    'no-text': '2 a.parquet:2',
    binary: '1 a.parquet:4',
    empty: '1 a.parquet:5',
    duplicate: '1 a.parquet:6',
  });
});

test('a damaged row group is said and the others are read; a damaged footer costs the file', async (context) => {
  const file = table({ text: lines(300) }, { codec: 'GZIP', rowGroupSize: 100 });
  // Groups of equal rows are of nearly equal size: the middle of the file is in the second.
  const middle = file.slice();
  middle.fill(0x55, file.length * 0.4, file.length * 0.45);
  const root = await folderOf(context, {
    'a.parquet': middle,
    'b.parquet': file.subarray(0, file.length - 9),
    'c.parquet': file.slice().fill(0xff, file.length - 8, file.length - 4),
    'd.parquet': new Uint8Array([80, 65, 82, 49]),
  });
  const { texts, skipped } = await read(root);
  assert.deepEqual(texts, [...lines(300).slice(0, 100), ...lines(300).slice(200)]);
  assert.deepEqual(skipped, { damaged: '4 a.parquet, group 2' });
});

test('whatever bytes change, the end is rows or a finding: no crash, no endless loop, no memory without limit', async () => {
  const file = table({ text: lines(200), more: lines(200) }, { rowGroupSize: 64, pageSize: 500 });
  let damaged = 0;
  for (let seed = 1; seed <= 400; seed++) {
    const changed = file.slice();
    // A plain generator: the same files each time.
    let state = Math.imul(seed, 0x9e3779b1) >>> 0;
    for (let i = 0; i < 1 + (seed % 6); i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const at = seed % 2 ? state % file.length : file.length - 1 - (state % 600);
      changed[at] = state >>> 24;
    }
    const cut = seed % 5 === 0 ? changed.subarray(0, state % file.length) : changed;
    const events = await eventsOf(cut);
    if (events.some(({ kind }) => kind !== 'rows')) damaged++;
  }
  assert.ok(damaged > 100, `${damaged} of 400 were found to be damaged`);
});

test('a group beyond the limit is said and left out, and one that lies about its size is damaged', async () => {
  const text = [...lines(40), 'z'.repeat(5000)];
  const file = table({ text }, { codec: 'GZIP', rowGroupSize: 40, statistics: false });
  const limit = 4000;
  const events = await eventsOf(file, limit);
  assert.deepEqual(
    events.map((event) => [event.kind, event.kind === 'rows' ? event.rows.length : event.group]),
    [
      ['rows', 40],
      ['too-large', 2],
    ],
  );
  const group = parquetMetadata(file.buffer as ArrayBuffer).row_groups[1]!;
  const size = Number(group.columns[0]!.meta_data!.total_uncompressed_size);
  const lie = replaceAll(file, varint(size), varint(1000));
  assert.deepEqual((await eventsOf(lie, limit)).slice(1), [{ kind: 'damaged', group: 2 }]);
});

/** As Thrift writes a number: zigzag, seven bits a byte. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value * 2;
  for (; rest >= 128; rest >>= 7) bytes.push((rest & 127) | 128);
  return [...bytes, rest];
}

function replaceAll(file: Uint8Array, from: readonly number[], to: readonly number[]): Uint8Array {
  const bytes = file.slice();
  for (let at = 0; at + from.length <= bytes.length; at++)
    if (from.every((byte, i) => bytes[at + i] === byte)) bytes.set(to, at);
  return bytes;
}

test('a run that claims to be endless fills its thread, not this process', async (context) => {
  const file = table({ text: ['a', null, 'b', 'c'] }, { codec: 'UNCOMPRESSED' });
  const root = await folderOf(context, { 'a.parquet': claimLongRun(file) });
  const events: ParquetEvent[] = [];
  for await (const event of readParquet(join(root, 'a.parquet'), 'a', undefined, 64)) events.push(event);
  assert.deepEqual(events, [{ kind: 'damaged', group: 0 }]);
});

/** Writes a run of 2^29 levels over those of the page: four of one bit, `1011` from the right. */
function claimLongRun(file: Uint8Array): Uint8Array {
  const bytes = file.slice();
  const levels = bytes.findIndex((byte, at) => byte === 0x03 && bytes[at + 1] === 0b1101);
  assert.ok(levels > 0, 'the file is laid out as this test thinks');
  bytes.set([0xfe, 0xff, 0xff, 0xff, 0x03, 0x01], levels);
  return bytes;
}

async function eventsOf(bytes: Uint8Array, maxGroupBytes?: number): Promise<ParquetEvent[]> {
  const file = {
    byteLength: bytes.length,
    slice: (start: number, end = bytes.length) => {
      if (!(start >= 0 && end >= start && end <= bytes.length)) throw new RangeError('beyond the end');
      return bytes.slice(start, end).buffer as ArrayBuffer;
    },
  };
  const events: ParquetEvent[] = [];
  try {
    for await (const event of parquetEvents(file, 'x', undefined, maxGroupBytes)) events.push(event);
  } catch (error) {
    assert.equal((error as WorldError).code, 'parquet-no-text');
  }
  return events;
}
