/**
 * This member's copy of the log: entries on disk, the state that they fold to, and those who listen.
 *
 * The journal holds every entry; a snapshot of the state makes reopening quick. The end of a log that electors have voted
 * away can be taken back, though never what a finished header commits to: a second snapshot, the anchor, stands there. Whoever appends has checked the entry's
 * signatures (`Entry` is made by `signEntry` and `verifyEntry` only).
 */
import { assert, type Cells, fromUtf8, type Hash, type Journal, utf8, WorldError } from '@folkmoot/core';
import { apply, type Event, initialState, objectionTo, readEntry, type Share, type State } from '@folkmoot/protocol';
import {
  type Certificate,
  type Charter,
  certificateOf,
  type Entry,
  entryBytes,
  entryIdOf,
  type RecordBody,
  type RecordOf,
  type VerifiedRecord,
} from '@folkmoot/records';

/** Entries between snapshots. */
const SNAPSHOT_EVERY = 500;

/** The state where the last finished header says: all logs of the run are the same up to there. */
interface Anchor {
  readonly index: number;
  readonly text: string;
}

export type LogListener = (entry: Entry, events: readonly Event[]) => void;

export class Log {
  readonly state: State;
  readonly #journal: Journal;
  readonly #cells: Cells;
  /** What accounts brought into a run that was forked from another. */
  readonly #shares: readonly Share[] | undefined;
  /** Journal lines; entry i is line i. */
  readonly #lines: string[];
  readonly #listeners = new Set<LogListener>();
  readonly #turnListeners = new Set<(index: number) => void>();
  #flushed: Promise<void> = Promise.resolve();
  /** Index of the last entry that is on disk: only those are shown to others. */
  durable: number;
  #snapshotAt: number;
  #anchor: Anchor | undefined;
  /** The state to which the header that is being signed commits. */
  #nextAnchor: Anchor | undefined;
  /** How often entries were taken back: whoever reads along must begin anew. */
  turns = 0;

  private constructor(
    state: State,
    lines: string[],
    journal: Journal,
    cells: Cells,
    shares: readonly Share[] | undefined,
  ) {
    this.state = state;
    this.#shares = shares;
    this.#lines = lines;
    this.#journal = journal;
    this.#cells = cells;
    this.#snapshotAt = state.head.index;
    this.durable = state.head.index;
  }

  /**
   * Reads what was kept, checking every link, and every signature after the snapshot. Throws `log-damaged` where the
   * journal does not continue itself. `shares`: of a fork, what its accounts bring.
   */
  static async open(charter: Charter, journal: Journal, cells: Cells, shares?: readonly Share[]): Promise<Log> {
    const lines: string[] = [];
    for await (const line of journal.lines()) lines.push(line);
    const first = initialState(charter, shares);
    const state = (await readSnapshot(first, cells, 'snapshot', lines)) ?? first;
    for (let index = state.head.index + 1; index < lines.length; index++) apply(state, parseLine(lines[index]!, state));
    const log = new Log(state, lines, journal, cells, shares);
    const anchor = await readSnapshot(initialState(charter, shares), cells, 'anchor', lines);
    log.#anchor = anchor && { index: anchor.head.index, text: JSON.stringify(anchor) };
    return log;
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
    assert(objectionTo(this.state, entry) === null, 'only the next entry is appended');
    const line = fromUtf8(entryBytes(entry));
    const { turns } = this;
    const events = apply(this.state, entry);
    this.#lines.push(line);
    const isAnchored = this.#moveAnchor(events);
    this.#flushed = this.#flushed.then(() => this.#journal.append([line]));
    const flushed = this.#flushed;
    await flushed;
    // Taken back while the disk was slow: nobody is told of it any more.
    if (turns !== this.turns && this.idAt(entry.index) !== entry.id) return events;
    this.durable = Math.max(this.durable, entry.index);
    if (isAnchored) await this.#cells.write('anchor', utf8(this.#anchor!.text));
    for (const listener of [...this.#listeners]) listener(entry, events);
    if (this.state.head.index - this.#snapshotAt >= SNAPSHOT_EVERY) await this.snapshot();
    return events;
  }

  /** Index from which on logs of this run may differ: the entry to which the last finished header commits. */
  get anchorIndex(): number {
    return this.#anchor?.index ?? -1;
  }

  /** The state after entry `index`, which is not before the anchor: an independent copy. */
  stateAt(index: number): State {
    assert(index >= this.anchorIndex && index < this.length, 'states are kept from the anchor on');
    const state = this.#anchor
      ? (JSON.parse(this.#anchor.text) as State)
      : initialState(this.state.charter, this.#shares);
    for (let next = state.head.index + 1; next <= index; next++) apply(state, parseLine(this.#lines[next]!, state));
    return state;
  }

  /** Takes back what follows entry `index`, and goes on with `entries`, checked by whoever made them. At once for readers. */
  async turn(index: number, entries: readonly Entry[]): Promise<void> {
    const flushes: Promise<unknown>[] = [];
    if (index < this.state.head.index) {
      const state = this.stateAt(index);
      this.turns++;
      for (const key of Object.keys(this.state)) delete (this.state as unknown as Record<string, unknown>)[key];
      Object.assign(this.state, state);
      this.#lines.length = index + 1;
      this.durable = Math.min(this.durable, index);
      this.#snapshotAt = Math.min(this.#snapshotAt, index);
      if (this.#nextAnchor && this.#nextAnchor.index > index) this.#nextAnchor = undefined;
      this.#flushed = this.#flushed.then(() => this.#journal.truncate(index + 1));
      flushes.push(this.#flushed);
      for (const listener of [...this.#turnListeners]) listener(index);
    }
    for (const entry of entries) flushes.push(this.append(entry));
    await Promise.all(flushes);
  }

  /** Tells `listener` the last entry that is left whenever entries are taken back. */
  watchTurns(listener: (index: number) => void): () => void {
    this.#turnListeners.add(listener);
    return () => this.#turnListeners.delete(listener);
  }

  /** The signatures of the quorum that has signed the header at hand; `undefined` while there is none. */
  certificate(): Certificate | undefined {
    const { certified, expected } = this.state.round;
    if (!certified || !expected) return undefined;
    const found: VerifiedRecord<RecordOf<'header'>>[] = [];
    for (let index = this.length - 1; index > expected.logIndex; index--) {
      const { record } = JSON.parse(this.#lines[index]!) as { record: VerifiedRecord };
      const { body } = record;
      if (
        body.kind === 'header' &&
        body.term === certified.term &&
        this.state.round.signed[body.device] === certified.header
      )
        found.push(record as VerifiedRecord<RecordOf<'header'>>);
    }
    const quorum = found.filter(({ body }) => this.state.electors.includes(body.device));
    return quorum.length === 0
      ? undefined
      : certificateOf(this.state.round.headers[certified.header]!, quorum.reverse());
  }

  /** The entry at `index`, as it was checked when it came. */
  entryAt(index: number): Entry {
    return parseLine(this.#lines[index]!, this.stateAt(index - 1));
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

  /** Keeps the state to which a header commits; true where it has become the anchor. */
  #moveAnchor(events: readonly Event[]): boolean {
    const { head, round } = this.state;
    if (round.expected?.logIndex === head.index)
      this.#nextAnchor = { index: head.index, text: JSON.stringify(this.state) };
    const end = events.find((event) => event.kind === 'finalized');
    if (!end || this.#nextAnchor?.index !== end.content.logIndex) return false;
    this.#anchor = this.#nextAnchor;
    this.#nextAnchor = undefined;
    return true;
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
  shares?: readonly Share[],
): Generator<{ entry: Entry; events: Event[]; state: State }> {
  const state = initialState(charter, shares);
  for (const line of lines) {
    const entry = parseLine(line, state);
    yield { entry, events: apply(state, entry), state };
  }
}

function parseLine(line: string, state: State): Entry {
  const entry = readEntry(state, parseJsonLine(line));
  if (!entry.ok) throw damaged(state.head.index + 1, entry.reason);
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

async function readSnapshot(
  fresh: State,
  cells: Cells,
  name: 'snapshot' | 'anchor',
  lines: readonly string[],
): Promise<State | undefined> {
  const bytes = await cells.read(name);
  if (!bytes) return undefined;
  const kept = parseJsonLine(fromUtf8(bytes)) as State | undefined;
  // A snapshot that is ahead of the journal, or of another log, is only a lost shortcut.
  const line = kept?.head && lines[kept.head.index];
  if (!kept || !line || kept.run !== fresh.run) return undefined;
  // Written by another version, whose state had other fields.
  if (Object.keys(fresh).some((field) => !(field in kept))) return undefined;
  return entryIdOf(parseJsonLine(line)) === kept.head.id ? kept : undefined;
}
