/**
 * This member's copy of the log: entries on disk, the state that they fold to, and those who listen.
 *
 * The journal holds every entry; a snapshot of the state makes reopening quick. Whoever appends has checked the entry's
 * signatures (`Entry` is made by `signEntry` and `verifyEntry` only).
 */
import { assert, type Cells, fromUtf8, type Hash, type Journal, utf8, WorldError } from '@folkmoot/core';
import { apply, continues, type Event, initialState, type State } from '@folkmoot/protocol';
import { type Charter, type Entry, entryBytes, type RecordBody, verifyEntry } from '@folkmoot/records';

/** Entries between snapshots. */
const SNAPSHOT_EVERY = 500;

export type LogListener = (entry: Entry, events: readonly Event[]) => void;

export class Log {
  readonly state: State;
  readonly #journal: Journal;
  readonly #cells: Cells;
  /** Journal lines; entry i is line i. */
  readonly #lines: string[];
  readonly #listeners = new Set<LogListener>();
  #flushed: Promise<void> = Promise.resolve();
  /** Index of the last entry that is on disk: only those are shown to others. */
  durable: number;
  #snapshotAt: number;

  private constructor(state: State, lines: string[], journal: Journal, cells: Cells) {
    this.state = state;
    this.#lines = lines;
    this.#journal = journal;
    this.#cells = cells;
    this.#snapshotAt = state.head.index;
    this.durable = state.head.index;
  }

  /**
   * Reads what was kept, checking every link, and every signature after the snapshot. Throws `log-damaged` where the
   * journal does not continue itself.
   */
  static async open(charter: Charter, journal: Journal, cells: Cells): Promise<Log> {
    const lines: string[] = [];
    for await (const line of journal.lines()) lines.push(line);
    const state = (await readSnapshot(charter, cells, lines)) ?? initialState(charter);
    for (let index = state.head.index + 1; index < lines.length; index++) apply(state, parseLine(lines[index]!, state));
    return new Log(state, lines, journal, cells);
  }

  get length(): number {
    return this.#lines.length;
  }

  /** Listens to every entry from now on; returns a function that stops that. */
  watch(listener: LogListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Applies the next entry, resolves when it is on disk, and tells the listeners. */
  async append(entry: Entry): Promise<readonly Event[]> {
    assert(continues(this.state, entry), 'only the next entry is appended');
    const line = fromUtf8(entryBytes(entry));
    const events = apply(this.state, entry);
    this.#lines.push(line);
    this.#flushed = this.#flushed.then(() => this.#journal.append([line]));
    const flushed = this.#flushed;
    await flushed;
    this.durable = Math.max(this.durable, entry.index);
    for (const listener of [...this.#listeners]) listener(entry, events);
    if (this.state.head.index - this.#snapshotAt >= SNAPSHOT_EVERY) await this.snapshot();
    return events;
  }

  /** The bytes of entry `index`, as they travel. */
  bytesAt(index: number): Uint8Array {
    return utf8(this.#lines[index]!);
  }

  /** The record in entry `index`, as it was checked when it came. */
  recordAt(index: number): RecordBody {
    return (JSON.parse(this.#lines[index]!) as { record: { body: RecordBody } }).record.body;
  }

  /** The id of entry `index`: the next entry names it. `undefined` beyond the head. */
  idAt(index: number): Hash | undefined {
    if (index === -1) return this.state.run;
    if (index === this.state.head.index) return this.state.head.id;
    const next = this.#lines[index + 1];
    return next === undefined ? undefined : (JSON.parse(next) as { prev: Hash }).prev;
  }

  /** Resolves when everything up to now is on disk. Throws `disk-full`, and then for ever: the state is ahead of the disk. */
  flushed(): Promise<void> {
    return this.#flushed;
  }

  async snapshot(): Promise<void> {
    this.#snapshotAt = this.state.head.index;
    // The text is made at once, so that the state cannot move on while the disk is slow.
    const bytes = utf8(JSON.stringify(this.state));
    await this.#flushed;
    await this.#cells.write('snapshot', bytes);
  }

  async close(): Promise<void> {
    await this.#flushed;
    await this.#journal.close();
  }
}

/** Folds the lines of a journal again from the start, for those who want the whole story. */
export function* retell(
  charter: Charter,
  lines: Iterable<string>,
): Generator<{ entry: Entry; events: Event[]; state: State }> {
  const state = initialState(charter);
  for (const line of lines) {
    const entry = parseLine(line, state);
    yield { entry, events: apply(state, entry), state };
  }
}

function parseLine(line: string, state: State): Entry {
  const entry = verifyEntry(parseJsonLine(line), state.charter.sequencer);
  if (!entry.ok) throw damaged(state.head.index + 1, entry.reason);
  if (!continues(state, entry.value)) throw damaged(state.head.index + 1, 'it does not continue the entry before');
  return entry.value;
}

function parseJsonLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function damaged(index: number, reason: string): WorldError {
  return new WorldError('log-damaged', `Entry ${index} of the stored log is damaged: ${reason}.`, {
    facts: { index },
    help: 'Remove the file log.jsonl in the run’s folder and start again: the log is fetched from other members.',
  });
}

async function readSnapshot(charter: Charter, cells: Cells, lines: readonly string[]): Promise<State | undefined> {
  const bytes = await cells.read('snapshot');
  if (!bytes) return undefined;
  const kept = parseJsonLine(fromUtf8(bytes)) as State | undefined;
  // A snapshot that is ahead of the journal, or of another log, is only a lost shortcut.
  const line = kept?.head && lines[kept.head.index];
  const fresh = initialState(charter);
  if (!kept || !line || kept.run !== fresh.run) return undefined;
  // Written by another version, whose state had other fields.
  if (Object.keys(fresh).some((field) => !(field in kept))) return undefined;
  const entry = verifyEntry(parseJsonLine(line), charter.sequencer);
  return entry.ok && entry.value.id === kept.head.id ? kept : undefined;
}
