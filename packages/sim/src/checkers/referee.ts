/**
 * The referee: folds the log once more, as a stranger, lets every checker look at every entry, and compares every member
 * with what came out (I8: whoever has the same log has the same state, byte for byte, however it came by it).
 */
import type { Hash } from '@folkmoot/core';
import type { Notice } from '@folkmoot/node';
import { apply, type Event, initialState, readEntry, type State } from '@folkmoot/protocol';
import { type Entry, entryBytes, parseJson } from '@folkmoot/records';
import type { SimPerson } from '../sim-run.ts';
import type { Checker, Truth } from './checker.ts';
import { CHECKERS } from './index.ts';
import { canonical, sha } from './second-opinion.ts';
import { Violation } from './violation.ts';

/** Of each member, one state in so many is compared whole; its place in the log and what the entry brought always. */
const WHOLE_STATES = 4;
const COPIES = 'copies';
const AGREEMENT = 'agreement';

interface Kept {
  readonly id: Hash;
  readonly events: string;
  readonly state: Hash;
}

export class Referee {
  state: State;
  events: { readonly entry: Entry; readonly events: readonly Event[] }[] = [];
  /** The first thing that was wrong. */
  violation: Violation | undefined;
  /** How often each checker has looked. */
  readonly looks: Record<string, number> = {};
  readonly #truth: Truth;
  #checkers: (Checker & { readonly name: string })[];
  #kept: Kept[] = [];
  /** By the header before it, the header with which a round ended, on whatever branch: there is one for ever. */
  readonly #ends = new Map<Hash, Hash>();

  constructor(truth: Truth) {
    this.#truth = truth;
    this.state = initialState(truth.charter, truth.shares);
    this.#checkers = this.#newCheckers();
    for (const name of [...Object.keys(CHECKERS), COPIES, AGREEMENT, 'progress']) this.looks[name] = 0;
  }

  /** Something that a member told. */
  hear(person: SimPerson, notice: Notice): void {
    if (this.violation) return;
    if (notice.kind === 'entry') this.#see(person, notice.entry, notice.events);
    for (const checker of this.#checkers) {
      if (!checker.told) continue;
      this.looks[checker.name]!++;
      const finding = checker.told(person, notice);
      if (finding) return this.#report(checker, `${finding} (${nameOf(person)})`, -1);
    }
  }

  /** A member that has just opened its log, or is looked at again: its state and its journal are the log's. */
  inspect(person: SimPerson): void {
    if (this.violation || !this.#truth.isHonest(person.id) || !person.member) return;
    this.looks[COPIES]!++;
    const { log } = person.member;
    const { head } = log.state;
    // On another branch: what it makes of it shows when one of them is given up.
    if (this.#kept[head.index]?.id !== head.id) return;
    this.#compareState(person, head.index, log.state);
    for (let index = Math.max(0, head.index - 3); index <= head.index; index++) {
      const kept = this.#kept[index];
      if (kept && log.idAt(index) !== kept.id) this.#differs(person, index, 'holds another entry than the log');
    }
  }

  fail(invariant: string, checker: string, sentence: string): void {
    this.violation ??= new Violation(invariant, checker, -1, sentence);
  }

  #see(person: SimPerson, entry: Entry, events: readonly Event[]): void {
    if (this.#truth.isHonest(person.id)) this.#agree(person, events);
    const { log } = person.member ?? {};
    const both = Math.min(log?.length ?? 0, this.#kept.length);
    if (log && both > 0 && log.idAt(both - 1) !== this.#kept[both - 1]!.id) return this.#seeBranch(person);
    // A member that is starting may still read a branch that is given up; it is looked at when it has started.
    const before = this.#kept[entry.index - 1]?.id ?? this.#truth.run;
    if (!log && (entry.index > this.#kept.length || entry.prev !== before)) return;
    // Whatever reached a disk before a crash was never told: it is in the log all the same.
    while (this.#kept.length < entry.index && !this.violation) {
      this.#read(person, person.member!.log.bytesAt(this.#kept.length));
    }
    if (this.#kept.length === entry.index) this.#read(person, entryBytes(entry));
    if (this.violation || !this.#truth.isHonest(person.id)) return;
    this.looks[COPIES]!++;
    const kept = this.#kept[entry.index]!;
    if (kept.id !== entry.id && !log) return;
    if (kept.id !== entry.id) return this.#differs(person, entry.index, 'has another entry than the log');
    if (kept.events !== canonical(events)) return this.#differs(person, entry.index, 'makes something else of it');
    const state = log?.state;
    if (!state || state.head.index !== entry.index) return;
    if ((entry.index + Number.parseInt(person.id.slice(0, 4), 16)) % WHOLE_STATES === 0)
      this.#compareState(person, entry.index, state);
  }

  /** Electors have voted the end of one log away: from then on the log is the one that is ahead. */
  #seeBranch(person: SimPerson): void {
    const { log } = person.member!;
    const { finalized, term } = log.state;
    const isAhead = finalized > this.state.finalized || (finalized === this.state.finalized && term > this.state.term);
    if (!isAhead || !this.#truth.isHonest(person.id)) return;
    this.state = initialState(this.#truth.charter, this.#truth.shares);
    this.events = [];
    this.#kept = [];
    this.#checkers = this.#newCheckers();
    for (let index = 0; index < log.length && !this.violation; index++) this.#read(person, log.bytesAt(index));
  }

  #newCheckers(): (Checker & { readonly name: string })[] {
    return Object.entries(CHECKERS).map(([name, make]) => Object.assign(make(this.#truth), { name }));
  }

  /** I11: a round ends in one way, whatever log tells of it. */
  #agree(person: SimPerson, events: readonly Event[]): void {
    for (const event of events) {
      if (event.kind !== 'finalized') continue;
      this.looks[AGREEMENT]!++;
      const { prev } = event.content;
      const known = this.#ends.get(prev) ?? event.header;
      this.#ends.set(prev, known);
      if (known !== event.header)
        this.fail(
          'I11',
          AGREEMENT,
          `${nameOf(person)} has seen round ${event.round} end with header ${event.header.slice(0, 8)}, others with ${known.slice(0, 8)}`,
        );
    }
  }

  /** From its bytes, as every follower reads it. */
  #read(person: SimPerson, bytes: Uint8Array): void {
    const json = parseJson(bytes, bytes.length);
    const parsed = json.ok ? readEntry(this.state, json.value) : json;
    if (parsed.ok) this.#fold(parsed.value);
    else this.#differs(person, this.#kept.length, `holds an entry that is not one: ${parsed.reason}`);
  }

  #fold(entry: Entry): void {
    for (const checker of this.#checkers) {
      if (!checker.before) continue;
      if (!checker.after) this.looks[checker.name]!++;
      const finding = checker.before(entry, this.state);
      if (finding) return this.#report(checker, finding, entry.index);
    }
    const events = apply(this.state, entry);
    const accepted = !events.some((event) => event.kind === 'rejected');
    const look = { entry, body: entry.record.body, accepted, events, state: this.state };
    for (const checker of this.#checkers) {
      if (!checker.after) continue;
      this.looks[checker.name]!++;
      const finding = checker.after(look);
      if (finding) return this.#report(checker, finding, entry.index);
    }
    this.events.push({ entry, events });
    this.#kept.push({ id: entry.id, events: canonical(events), state: digest(this.state) });
  }

  #compareState(person: SimPerson, index: number, state: State): void {
    const kept = this.#kept[index];
    if (!kept || digest(state) === kept.state) return;
    // What a member has signed itself has its fields in another order in its memory: then their values decide.
    if (canonical(state) === canonical(this.#stateAt(index))) return;
    this.#differs(person, index, 'has another state after the same entries');
  }

  #stateAt(index: number): State {
    if (index === this.state.head.index) return this.state;
    const state = initialState(this.#truth.charter, this.#truth.shares);
    for (const { entry } of this.events.slice(0, index + 1)) apply(state, entry);
    return state;
  }

  #differs(person: SimPerson, index: number, sentence: string): void {
    this.violation ??= new Violation('I8', COPIES, index, `${nameOf(person)} ${sentence}`);
  }

  #report({ invariant, name }: { invariant: string; name: string }, finding: string, index: number): void {
    this.violation ??= new Violation(invariant, name, index, finding);
  }
}

function digest({ charter: _charter, ...state }: State): Hash {
  return sha(JSON.stringify(state));
}

export function nameOf(person: Pick<SimPerson, 'id' | 'name'>): string {
  return `${person.name} ${person.id.slice(0, 6)}`;
}
