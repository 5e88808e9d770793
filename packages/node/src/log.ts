/**
 * This member's copy of the log: entries on disk, the state that they fold to, and those who listen.
 *
 * The journal holds every entry; in memory are the last ones, and all that may still be taken back. The end of a log that
 * electors have voted away can be, though never what a finished header commits to: the last such entry is the anchor. Two
 * states are kept for reopening, one at an anchor and one anywhere. Each is written when the log has grown by as much as
 * a state is long, so that all of them together are no longer than twice the log.
 *
 * Whoever appends has checked the entry's signatures (`Entry` is made by `signEntry` and `verifyEntry` only).
 */
import { assert, type Cells, type DeviceId, fromUtf8, type Hash, type Journal, utf8, WorldError } from '@folkmoot/core';
import { apply, type Event, initialState, objectionTo, readEntry, type Share, type State } from '@folkmoot/protocol';
import {
  type Certificate,
  type Charter,
  certificateOf,
  type Entry,
  entryBytes,
  type RecordBody,
  type RecordKind,
  type RecordOf,
  recallEntry,
  type VerifiedRecord,
} from '@folkmoot/records';
import { keptText, lineAt, parseJsonLine, readKept } from './kept-states.ts';

/** As many entries stay in memory for those who follow closely, unless they are long. */
const RECENT_ENTRIES = 4096;
const RECENT_CHARACTERS = 8 * 2 ** 20;

/** States at anchors come about as often as their length, so that this is for runs that end no rounds. */
const STATES_BETWEEN_SNAPSHOTS = 2;

/** A state at an anchor, from which states at later entries are made. */
interface Base {
  readonly index: number;
  readonly text: string;
  /** Characters of the log between the base before and this one. */
  readonly since: number;
}

interface Parts {
  readonly journal: Journal;
  readonly cells: Cells;
  readonly shares: readonly Share[] | undefined;
}

export type LogListener = (entry: Entry, events: readonly Event[]) => void;

export class Log {
  readonly state: State;
  readonly #journal: Journal;
  readonly #cells: Cells;
  /** What accounts brought into a run that was forked from another. */
  readonly #shares: readonly Share[] | undefined;
  /** Journal lines from `heldFrom` on, and the ids of their entries where they are known. */
  readonly #lines: string[] = [];
  readonly #ids: (Hash | undefined)[] = [];
  #heldFrom: number;
  #heldCharacters = 0;
  readonly #listeners = new Set<LogListener>();
  readonly #turnListeners = new Set<(index: number) => void>();
  #flushed: Promise<void> = Promise.resolve();
  /** Index of the last entry that is on disk: only those are shown to others. */
  durable: number;
  #anchorIndex: number;
  #base: Base | undefined;
  /** The state to which the header that is being signed commits, where it will be the next base. */
  #nextBase: Base | undefined;
  /** Characters of the log after the base, and after the later of base and snapshot. */
  #sinceBase = 0;
  #sinceKept = 0;
  #snapshotAt: number;
  /** Length of the state that was written last. */
  #stateCharacters: number;
  /** How often entries were taken back: whoever reads along must begin anew. */
  turns = 0;

  private constructor(state: State, anchor: number, base: Base | undefined, parts: Parts) {
    this.state = state;
    this.#shares = parts.shares;
    this.#anchorIndex = anchor;
    this.#base = base;
    this.#journal = parts.journal;
    this.#cells = parts.cells;
    this.#snapshotAt = state.head.index;
    this.#stateCharacters = base?.text.length ?? JSON.stringify(state).length;
    this.durable = state.head.index;
    // Without a base, states are made from the first entry on.
    this.#heldFrom = Math.min(base ? base.index + 1 : 0, Math.max(0, parts.journal.count - RECENT_ENTRIES));
  }

  /**
   * Reads what was kept from the last state on, checking every link and signature. Throws `log-damaged` where the journal
   * does not continue itself. `shares`: of a fork, what its accounts bring.
   */
  static async open(charter: Charter, journal: Journal, cells: Cells, shares?: readonly Share[]): Promise<Log> {
    const first = initialState(charter, shares);
    const anchored = await readKept(first, cells, 'anchor', journal);
    const snapshot = await readKept(first, cells, 'snapshot', journal);
    const baseIndex = anchored?.state.head.index ?? -1;
    const base = anchored && { index: baseIndex, text: keptText(anchored.state, baseIndex), since: 0 };
    const isLater = snapshot !== undefined && snapshot.state.head.index > baseIndex;
    const state = isLater ? snapshot.state : (anchored?.state ?? first);
    const anchor = Math.max(baseIndex, isLater ? snapshot.anchor : -1);
    const log = new Log(state, anchor, base, { journal, cells, shares });
    await log.#read();
    return log;
  }

  get length(): number {
    return this.#heldFrom + this.#lines.length;
  }

  /** Index of the first entry that is in memory: not after the anchor's next. */
  get heldFrom(): number {
    return this.#heldFrom;
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
    this.#hold(line, entry.id);
    const isAnchored = this.#moveAnchor(events);
    this.#flushed = this.#flushed.then(() => this.#journal.append([line]));
    const flushed = this.#flushed;
    await flushed;
    // Taken back while the disk was slow: nobody is told of it any more.
    if (turns !== this.turns && this.idAt(entry.index) !== entry.id) return events;
    this.durable = Math.max(this.durable, entry.index);
    if (isAnchored) await this.#cells.write('anchor', utf8(this.#base!.text));
    for (const listener of [...this.#listeners]) listener(entry, events);
    if (this.#sinceKept >= STATES_BETWEEN_SNAPSHOTS * this.#stateCharacters) await this.snapshot();
    return events;
  }

  /** Index from which on logs of this run may differ: the entry to which the last finished header commits. */
  get anchorIndex(): number {
    return this.#anchorIndex;
  }

  /** The state after entry `index`, which is not before the anchor: an independent copy. */
  stateAt(index: number): State {
    assert(index >= this.anchorIndex && index < this.length, 'states are kept from the anchor on');
    const state = this.#base
      ? (JSON.parse(this.#base.text) as { state: State }).state
      : initialState(this.state.charter, this.#shares);
    for (let next = state.head.index + 1; next <= index; next++)
      apply(state, recallEntry(JSON.parse(this.#lineAt(next))));
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
      this.#letGo(index);
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
      const { record } = JSON.parse(this.#lineAt(index)) as { record: VerifiedRecord };
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

  /** The entry at `index`, which is after the anchor, as it was checked when it came. */
  entryAt(index: number): Entry {
    assert(index > this.anchorIndex, 'an entry is read again where logs may differ');
    return recallEntry(JSON.parse(this.#lineAt(index)));
  }

  /** The bytes of entry `index`, as they travel; not before `heldFrom`. */
  bytesAt(index: number): Uint8Array {
    return utf8(this.#lineAt(index));
  }

  /** The bytes of the entries from `index` to before `heldFrom`, read from the disk: none of them can be taken back. */
  async *bytesBefore(index: number): AsyncIterable<Uint8Array> {
    for await (const line of this.#journal.lines(index, this.#heldFrom)) yield utf8(line);
  }

  /** The record in entry `index`, as it was checked when it came; not before `heldFrom`. */
  recordAt(index: number): RecordBody {
    return recordIn(this.#lineAt(index));
  }

  /** Records of `device` of one kind as JSON, the last one first, as far back as entries are in memory. */
  *recordsBack(device: DeviceId, kind: RecordKind): Generator<string> {
    for (let index = this.length - 1; index >= this.#heldFrom; index--) {
      const line = this.#lineAt(index);
      if (!line.includes(device) || !line.includes(`"kind":"${kind}"`)) continue;
      const { record } = JSON.parse(line) as { record: { body: RecordBody } };
      if (record.body.device === device && record.body.kind === kind) yield JSON.stringify(record);
    }
  }

  /** The records of all entries from `index` on. */
  async *records(index = 0): AsyncIterable<RecordBody> {
    let next = index;
    while (next < this.length)
      if (next >= this.#heldFrom) yield this.recordAt(next++);
      else for await (const line of this.#journal.lines(next, this.#heldFrom)) yield (next++, recordIn(line));
  }

  /** The id of entry `index`: the next entry names it. `undefined` beyond the head, and before what is in memory. */
  idAt(index: number): Hash | undefined {
    if (index === -1) return this.state.run;
    if (index === this.state.head.index) return this.state.head.id;
    const place = index - this.#heldFrom;
    const next = this.#lines[place + 1];
    if (next === undefined) return undefined;
    if (place < 0) return prevIn(next);
    this.#ids[place] ??= prevIn(next);
    return this.#ids[place];
  }

  /** The id of any entry; `undefined` beyond the head. */
  async idOf(index: number): Promise<Hash | undefined> {
    if (index < -1 || index >= this.#heldFrom - 1) return this.idAt(index);
    if (index === -1) return this.state.run;
    const next = await lineAt(this.#journal, index + 1);
    return next === undefined ? undefined : prevIn(next);
  }

  /** Resolves when everything up to now is on disk. Throws `disk-full`, and then for ever: the state is ahead of the disk. */
  flushed(): Promise<void> {
    return this.#flushed;
  }

  /** Writes the state as it is now, unless it was written here before. */
  async snapshot(): Promise<void> {
    if (this.#snapshotAt === this.state.head.index) return;
    this.#snapshotAt = this.state.head.index;
    // The text is made at once, so that the state cannot move on while the disk is slow.
    const text = keptText(this.state, this.#anchorIndex);
    this.#stateCharacters = text.length;
    this.#sinceKept = 0;
    await this.#flushed;
    await this.#cells.write('snapshot', utf8(text));
  }

  async close(): Promise<void> {
    await this.#flushed;
    await this.#journal.close();
  }

  /** Takes the journal's lines that memory should hold, and folds those after the state. */
  async #read(): Promise<void> {
    const known = this.state.head.index;
    let index = this.#heldFrom;
    let isAnchored = false;
    for await (const line of this.#journal.lines(this.#heldFrom)) {
      if (index > known) {
        const entry = parseLine(line, this.state);
        const events = apply(this.state, entry);
        this.#hold(line, entry.id);
        isAnchored = this.#moveAnchor(events) || isAnchored;
      } else {
        this.#hold(line, undefined);
        // What the kept states hold already is not counted twice.
        if (index <= (this.#base?.index ?? -1)) this.#sinceBase = 0;
        this.#sinceKept = 0;
      }
      this.durable = Math.max(this.durable, index++);
    }
    if (isAnchored) await this.#cells.write('anchor', utf8(this.#base!.text));
  }

  #lineAt(index: number): string {
    assert(index >= this.#heldFrom && index < this.length, 'the entry is in memory');
    return this.#lines[index - this.#heldFrom]!;
  }

  #hold(line: string, id: Hash | undefined): void {
    this.#lines.push(line);
    this.#ids.push(id);
    this.#heldCharacters += line.length;
    this.#sinceBase += line.length;
    this.#sinceKept += line.length;
    if (this.length % RECENT_ENTRIES === 0) this.#release();
  }

  /** Memory forgets old entries, as far as no state is made from them. */
  #release(): void {
    const most = Math.min(this.#base?.index ?? -1, this.durable) + 1 - this.#heldFrom;
    let count = 0;
    while (count < most && (this.#lines.length - count > RECENT_ENTRIES || this.#heldCharacters > RECENT_CHARACTERS))
      this.#heldCharacters -= this.#lines[count++]!.length;
    this.#lines.splice(0, count);
    this.#ids.splice(0, count);
    this.#heldFrom += count;
  }

  /** Memory forgets what follows entry `index`. */
  #letGo(index: number): void {
    const kept = index + 1 - this.#heldFrom;
    const characters = this.#lines.splice(kept).reduce((sum, line) => sum + line.length, 0);
    this.#ids.length = kept;
    this.#heldCharacters -= characters;
    this.#sinceBase -= characters;
    this.#sinceKept = Math.max(0, this.#sinceKept - characters);
    this.durable = Math.min(this.durable, index);
    this.#snapshotAt = Math.min(this.#snapshotAt, index);
    if (this.#nextBase && this.#nextBase.index > index) this.#nextBase = undefined;
  }

  /** Keeps the state to which a header commits, where it is time for one; true where it has become the base. */
  #moveAnchor(events: readonly Event[]): boolean {
    const { head, round } = this.state;
    const isDue = this.#sinceBase >= (this.#base?.text.length ?? 0);
    if (round.expected?.logIndex === head.index && isDue)
      this.#nextBase = { index: head.index, text: keptText(this.state, head.index), since: this.#sinceBase };
    const end = events.find((event) => event.kind === 'finalized');
    if (!end) return false;
    this.#anchorIndex = end.content.logIndex;
    const next = this.#nextBase;
    this.#nextBase = undefined;
    if (next?.index !== this.#anchorIndex) return false;
    this.#base = next;
    this.#sinceBase -= next.since;
    this.#sinceKept = Math.min(this.#sinceKept, this.#sinceBase);
    this.#stateCharacters = next.text.length;
    this.#release();
    return true;
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

const recordIn = (line: string) => (JSON.parse(line) as { record: { body: RecordBody } }).record.body;
const prevIn = (line: string) => (JSON.parse(line) as { prev: Hash }).prev;

function parseLine(line: string, state: State): Entry {
  const entry = readEntry(state, parseJsonLine(line));
  if (!entry.ok) throw damaged(state.head.index + 1, entry.reason);
  return entry.value;
}

function damaged(index: number, reason: string): WorldError {
  return new WorldError('log-damaged', `Entry ${index} of the stored log is damaged: ${reason}.`, {
    facts: { index },
    help: 'Remove the file log.jsonl in the run’s folder and start again: the log is fetched from other members.',
  });
}
