/** The log against a slow twin that keeps everything and folds from the first entry. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { below, type Cells, fromUtf8, type Journal, SeededRandom } from '@folkmoot/core';
import { apply, initialState, type State } from '@folkmoot/protocol';
import { ScriptedMember, ScriptedRun, testCharter } from '@folkmoot/protocol/test-support';
import { type Charter, type Entry, entryBytes } from '@folkmoot/records';
import { Keepsakes } from './keepsakes.ts';
import { Log } from './log.ts';

const ENTRIES = 8700;
const RECENT = 4096;

/** Journal and cells in memory, which count. */
class Disk {
  lines: string[] = [];
  readLines = 0;
  writtenCharacters = 0;
  readonly #cells = new Map<string, Uint8Array>();
  readonly cells: Cells = {
    read: async (name) => this.#cells.get(name),
    write: async (name, bytes) => {
      this.writtenCharacters += bytes.length;
      this.#cells.set(name, bytes);
    },
  };

  open(): Promise<Log> {
    const disk = this;
    const journal: Journal = {
      get count() {
        return disk.lines.length;
      },
      append: async (added) => {
        disk.lines.push(...added);
      },
      truncate: async (count) => {
        disk.lines.length = Math.min(count, disk.lines.length);
      },
      async *lines(from, to) {
        for (const line of disk.lines.slice(from, to)) {
          disk.readLines++;
          yield line;
        }
      },
      close: async () => {},
    };
    return Log.open(charter, journal, this.cells);
  }
}

const charter: Charter = testCharter();
let entries: Entry[];
let lines: string[];
/** Has taken all entries, one after the other. */
const disk = new Disk();
let log: Log;

before(async () => {
  const members = Array.from({ length: 12 }, (_, i) => new ScriptedMember(i + 1));
  const run = new ScriptedRun(charter, members);
  for (const member of members) run.join(member);
  assert.ok(run.run(() => run.entries.length >= ENTRIES, 10 * ENTRIES));
  entries = run.entries.slice(0, ENTRIES);
  lines = entries.map((entry) => fromUtf8(entryBytes(entry)));
  log = await disk.open();
  for (const entry of entries) await log.append(entry);
});

test('what is written and what is read again grow with the log, not with its square', async () => {
  const logCharacters = sum(lines);
  assert.ok(disk.writtenCharacters < 1.6 * logCharacters, `${disk.writtenCharacters} beside ${logCharacters}`);
  assert.ok(log.heldFrom > ENTRIES - 2 * RECENT - 100 && log.heldFrom <= log.anchorIndex + 1);
  // As after a crash: nothing was written at the end.
  disk.readLines = 0;
  const again = await disk.open();
  assert.equal(text(again.state), text(log.state));
  assert.ok(disk.readLines <= RECENT + 500, `${disk.readLines} lines are read again`);
  assert.equal(again.anchorIndex, log.anchorIndex);
});

test('every entry, its id and its record are there, whether in memory or on disk', async () => {
  for (const each of [log, await disk.open()]) {
    assert.equal(each.length, ENTRIES);
    assert.ok(each.heldFrom > 2);
    for (const index of [-1, 0, 1, each.heldFrom - 2, each.heldFrom - 1, each.heldFrom, ENTRIES - 2, ENTRIES - 1])
      assert.equal(await each.idOf(index), index < 0 ? each.state.run : entries[index]!.id, `${index}`);
    assert.equal(each.idAt(each.heldFrom - 1), entries[each.heldFrom - 1]?.id ?? each.state.run);
    assert.equal(each.idAt(ENTRIES), undefined);
    assert.equal(await each.idOf(ENTRIES), undefined);
    let next = 0;
    for await (const body of each.records()) assert.equal(body.seq, entries[next++]!.record.body.seq);
    assert.equal(next, ENTRIES);
  }
  const bytes: string[] = [];
  for await (const line of log.bytesBefore(log.heldFrom - 70)) bytes.push(fromUtf8(line));
  assert.deepEqual(bytes, lines.slice(log.heldFrom - 70, log.heldFrom));
  assert.equal(fromUtf8(log.bytesAt(log.heldFrom)), lines[log.heldFrom]);
  const at = Math.max(log.anchorIndex + 1, ENTRIES - 5);
  assert.deepEqual(log.entryAt(at), entries[at]);
  assert.equal(text(log.stateAt(at)), text(foldedTo(at)));
});

test('a disk that has lost the log’s end, at any place, opens to what is left', async () => {
  const random = new SeededRandom('lost ends');
  const disk = new Disk();
  const log = await disk.open();
  for (const entry of entries.slice(0, 1500)) await log.append(entry);
  const whole = [...disk.lines];
  for (let round = 0; round < 8; round++) {
    const count = round === 0 ? 0 : below(random, whole.length);
    disk.lines = whole.slice(0, count);
    const again = await disk.open();
    assert.equal(text(again.state), text(foldedTo(count - 1)));
  }
});

test('an end that is taken back is gone from memory, from the disk and after a restart', async () => {
  const disk = new Disk();
  const log = await disk.open();
  for (const entry of entries.slice(0, 1500)) await log.append(entry);
  await log.snapshot();
  const { anchorIndex } = log;
  await log.turn(anchorIndex, []);
  assert.equal(text(log.state), text(foldedTo(anchorIndex)));
  assert.equal(text((await disk.open()).state), text(foldedTo(anchorIndex)));
  // The same end once more, and some.
  for (const entry of entries.slice(anchorIndex + 1, 1600)) await log.append(entry);
  assert.equal(text((await disk.open()).state), text(foldedTo(1599)));
});

test('keepsakes are the same from their cell and the log’s end as from the whole log', async () => {
  const disk = new Disk();
  const log = await disk.open();
  const live = new Keepsakes([]);
  for (const entry of entries.slice(0, 2500)) {
    const events = await log.append(entry);
    live.observe(entry.record.body);
    if (events.some(({ kind }) => kind === 'finalized')) await live.keep(disk.cells, log);
  }
  const keptAt = (JSON.parse(fromUtf8((await disk.cells.read('keepsakes'))!)) as { index: number }).index;
  assert.ok(keptAt > 1500 && keptAt <= log.anchorIndex, `${keptAt}`);
  const again = new Keepsakes([]);
  await again.open(disk.cells, await disk.open());
  assert.deepEqual([...again.ids].sort(), [...live.ids].sort());
  // Another log may have come in place of an end that the disk has lost.
  disk.lines.length = keptAt;
  const shorter = new Keepsakes([]);
  await shorter.open(disk.cells, await disk.open());
  assert.ok([...shorter.ids].every((id) => live.ids.has(id)) && shorter.ids.size > 100);
});

function foldedTo(index: number): State {
  const state = initialState(charter);
  for (const entry of entries.slice(0, index + 1)) apply(state, entry);
  return state;
}

/** Fields in one order: what a member signs itself has them in another. */
const text = (state: State) => JSON.stringify(state, (_, value) => sorted(value));
const sorted = (value: unknown) =>
  value && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;
const sum = (texts: readonly string[]) => texts.reduce((total, { length }) => total + length, 0);
