/** Reading a run's log for those who fork it: the pedigree of one of its headers, and the credit that it commits to. */
import { assert, type DeviceId, type Hash } from '@folkmoot/core';
import { creditRows, rowsBytes } from '@folkmoot/ledger';
import {
  certificateOf,
  type Entry,
  entryBytes,
  type Header,
  type PedigreeLink,
  type RecordOf,
  type SignedRecord,
  type VerifiedRecord,
} from '@folkmoot/records';
import type { Event } from './events.ts';
import { pedigreeBytes } from './pedigree.ts';
import type { State } from './state.ts';

type Seal = VerifiedRecord<RecordOf<'seal'>>;

/** What a fork names in its charter. */
export interface Ancestry {
  readonly header: Header;
  readonly pedigree: Uint8Array;
  /** Rows under the header's `creditsRoot`. */
  readonly rows: readonly string[];
}

/** The artifact of an ancestry's credits. */
export function creditBytes({ rows }: Ancestry): Uint8Array {
  return rowsBytes(rows);
}

/** Fold a log into it entry by entry, until `found`: the header `wanted` of round `round`, or to its end where none is. */
export class AncestryReader {
  found: Ancestry | undefined;
  /** Entries up to the one that begins round 1, as they travel. */
  readonly founding: string[] = [];
  /** One for each finished round. */
  readonly links: PedigreeLink[] = [];
  readonly #wanted: Hash | undefined;
  readonly #round: number | undefined;
  readonly #joins = new Map<DeviceId, SignedRecord>();
  /** Whom the last header names; those of round 1 before that. */
  #named: readonly DeviceId[] = [];
  /** Who of them still counted after the entry before. */
  #left: readonly DeviceId[] = [];
  #gone: SignedRecord[][] = [];
  #seals = new Map<DeviceId, Seal>();
  #rows: readonly string[] = [];

  constructor(wanted?: Hash, round?: number) {
    this.#wanted = wanted;
    this.#round = round;
  }

  /** The next entry, what it brought about, and the state after it. */
  take(entry: Entry, events: readonly Event[], state: State): void {
    const { record } = entry;
    const { body } = record;
    const signed = { body, signature: record.signature };
    const accepted = !events.some((event) => event.kind === 'rejected');
    if (accepted && body.kind === 'join') this.#joins.set(body.device, signed);
    if (this.#named.length === 0) return this.#found(entry, events, state);
    if (accepted && body.kind === 'seal') this.#seals.set(body.device, record as Seal);
    const end = events.find((event) => event.kind === 'finalized');
    if (end) this.#finish(end);
    else if (accepted) this.#countOut(signed, state);
    const { round } = state;
    if (round.number === this.#round && round.expected?.logIndex === entry.index) this.#rows = creditRows(state.ledger);
    if (!end) return;
    this.#named = [...state.electors];
    this.#left = this.#named;
  }

  #found(entry: Entry, events: readonly Event[], { electors }: State): void {
    this.founding.push(new TextDecoder().decode(entryBytes(entry)));
    if (!events.some((event) => event.kind === 'assigned')) return;
    this.#named = [...electors];
    this.#left = this.#named;
  }

  /** A record may have taken an elector out. */
  #countOut(record: SignedRecord, { electors }: State): void {
    if (electors.length >= this.#left.length) return;
    const device = this.#left.find((elector) => !electors.includes(elector))!;
    const join = record.body.kind === 'revoke' ? [this.#joins.get(device)!] : [];
    this.#gone.push([record, ...join]);
    this.#left = [...electors];
  }

  #finish({ content, header, electors, term }: Extract<Event, { kind: 'finalized' }>): void {
    const seals = electors.flatMap((device) => {
      const seal = this.#seals.get(device);
      return seal?.body.header === header && seal.body.term === term ? [seal] : [];
    });
    this.links.push({ certificate: certificateOf(content, seals), electors: this.#named, gone: this.#gone });
    this.#seals = new Map();
    this.#gone = [];
    if (header !== this.#wanted) return;
    assert(this.#rows.length > 0, 'a finished round has credits');
    this.found = { header: content, pedigree: pedigreeBytes(this.founding, this.links), rows: this.#rows };
  }
}
