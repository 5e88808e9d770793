/**
 * Complaints: whoever the sequencer leaves out shows its record to the electors, who try themselves.
 *
 * An elector believes nobody. It brings the record to the sequencer, and holds against it only what it has seen: a refusal
 * at a place of the log where the rules would have taken the record, or no answer while the log went on. Where that
 * happens in as many rounds of one term as the charter says, it votes for the next term; a quorum decides, as ever. A
 * record that the reducer would refuse is no ground. Reasons in docs/decisions/0030.
 */
import { type Clock, canonicalBytes, type DeviceId, type DeviceKey, fromUtf8, type Network } from '@folkmoot/core';
import { check, type State } from '@folkmoot/protocol';
import { MAX_RECORD_BYTES, parseRecord, type RecordBody, recordBytes, type VerifiedRecord } from '@folkmoot/records';
import { askJson } from './exchange.ts';
import type { Log } from './log.ts';
import type { Notice } from './notices.ts';
import { submitTo } from './sequencer.ts';
import type { Receipt } from './voice.ts';

/** Parts of the silence after which electors vote: a record without an answer is shown; an answer is late; none comes. */
const HURRY = 20;
const LATE = 8;
const PATIENCE = 4;
/** Records of one device that are shown, and taken up, in a round. */
const MOST_PLEAS = 2;
/** Others' records that an elector has with the sequencer at once: its own must not wait for them. */
const MOST_TRIED = 2;
const LOOK_MS = 100;

export interface ComplaintParts {
  readonly network: Network;
  readonly log: Log;
  readonly clock: Clock;
  readonly key: DeviceKey;
  readonly notify: (notice: Notice) => void;
  readonly signal: AbortSignal;
  /** Connects to a member whose address is known. */
  readonly reach: (device: DeviceId) => Promise<boolean>;
  /** The present sequencer has been caught often enough. */
  readonly depose: () => void;
}

export class Complaints {
  readonly #parts: ComplaintParts;
  /** Rounds of a term in which this device saw a record left out. */
  #grievances: { term: number; rounds: Set<number> } = { term: 0, rounds: new Set() };
  /** By device, records that were shown or taken up in the round at hand. */
  #pleas = new Map<DeviceId, number>();
  #round = 0;
  #trying = 0;

  constructor(parts: ComplaintParts) {
    this.#parts = parts;
  }

  /** Takes records that others could not bring to the sequencer. */
  serve(): void {
    const limits = { maxRequestBytes: MAX_RECORD_BYTES, maxConcurrentPerPeer: 2 };
    const take = (request: Uint8Array) => this.#take(request);
    this.#parts.network.serve(
      'plead',
      async function* (_peer, request) {
        take(request);
        yield canonicalBytes({});
      },
      limits,
    );
  }

  /** `sending` brings this device's own record to the sequencer. Where that seems to be in vain, electors are shown it. */
  watch(record: VerifiedRecord, sending: Promise<Receipt>): void {
    if (this.#rounds === undefined) return;
    const hurry = new AbortController();
    const { clock } = this.#parts;
    clock.sleep(this.#part(HURRY), hurry.signal).then(
      () => this.#plead(record),
      () => {},
    );
    sending.then(
      ({ accepted }) => {
        hurry.abort();
        // At once: electors can only try what may still be said.
        if (!accepted) this.#plead(record);
      },
      () => {},
    );
    // Whoever is told that it is in the log looks there.
    void this.#try(record, sending).then((isInVain) => isInVain && this.#plead(record));
  }

  #take(request: Uint8Array): void {
    const { log, key, network } = this.#parts;
    const { electors, sequencer } = log.state;
    if (this.#rounds === undefined || !electors.includes(key.id) || sequencer === key.id) return;
    const record = parseRecord(request);
    if (!record.ok || this.#trying >= MOST_TRIED || !this.#isTakeable(record.value)) return;
    if (!this.#count(record.value.body.device)) return;
    this.#trying++;
    const sending = submitTo(network, sequencer, record.value).finally(() => this.#trying--);
    void this.#try(record.value, sending);
  }

  /** Where `sending`, which has just begun, comes to nothing though the rules would take the record, an elector remembers it. */
  async #try(record: VerifiedRecord, sending: Promise<Receipt>): Promise<boolean> {
    const { log, key, notify, network } = this.#parts;
    const { term, electors, sequencer, round } = log.state;
    const isInVain = await this.#isInVain(record, sending);
    if (!isInVain || log.state.term !== term || !network.peers().includes(sequencer)) return false;
    const { device, seq } = record.body;
    notify({ kind: 'left-out', device, seq, sequencer, term, round: round.number });
    if (electors.includes(key.id)) this.#grieve(term, round.number);
    return true;
  }

  async #isInVain(record: VerifiedRecord, sending: Promise<Receipt>): Promise<boolean> {
    const { log, clock, signal } = this.#parts;
    const { turns } = log;
    const from = log.state.head.index;
    if (!this.#isTakeable(record)) {
      await sending.catch(() => {});
      return false;
    }
    let isTaken = false;
    const unwatch = log.watch(({ record: { body } }) => {
      isTaken ||= isSame(body, record.body);
    });
    const beganMs = clock.now();
    const endMs = beganMs + this.#part(PATIENCE);
    const answer = await this.#answer(record, sending, beganMs);
    const isLate = clock.now() - beganMs > this.#part(LATE);
    const at = answer?.index;
    // This log has to come to where the sequencer's stood; without an answer, it has to go on.
    const isSeen = () => at !== undefined && log.state.head.index >= at;
    while (!isSeen() && clock.now() < endMs && !signal.aborted) await clock.sleep(LOOK_MS, signal).catch(() => {});
    unwatch();
    if (isTaken || log.turns !== turns || signal.aborted) return false;
    if (at === undefined || !isSeen()) return log.state.head.index > from;
    if (at < from) return true;
    if (at <= log.anchorIndex) return false;
    if (answer!.accepted) return !isSame(log.recordAt(at), record.body);
    return check(log.stateAt(at), record) === null || isLate;
  }

  /**
   * What the sequencer says in the end. An answer that names no entry is asked for again as long as it would not be late:
   * whoever has the role by turn may be the last to hear of it.
   */
  async #answer(record: VerifiedRecord, sending: Promise<Receipt>, beganMs: number): Promise<Receipt | undefined> {
    const { log, clock, network, signal } = this.#parts;
    let answer = await this.#within(sending, this.#part(PATIENCE));
    while (answer && answer.index === undefined && clock.now() + this.#part(HURRY) - beganMs <= this.#part(LATE)) {
      await clock.sleep(this.#part(HURRY), signal).catch(() => {});
      if (signal.aborted) break;
      const again = submitTo(network, log.state.sequencer, record);
      answer = (await this.#within(again, beganMs + this.#part(PATIENCE) - clock.now())) ?? answer;
    }
    return answer;
  }

  /** Whether an honest sequencer takes the record. How many newcomers without a ticket it lets in is its own matter. */
  #isTakeable(record: VerifiedRecord): boolean {
    const { body } = record;
    const { log } = this.#parts;
    if (body.kind === 'join' && !body.admission) return false;
    const seen = log.idAt(body.seen.index);
    return (seen === undefined || seen === body.seen.id) && check(log.state, record) === null;
  }

  #grieve(term: number, round: number): void {
    if (this.#grievances.term !== term) this.#grievances = { term, rounds: new Set() };
    const { rounds } = this.#grievances;
    rounds.add(round);
    if (rounds.size < this.#rounds!) return;
    // Whoever is alone with this waits for as many again.
    rounds.clear();
    this.#parts.notify({ kind: 'complained', sequencer: this.#state.sequencer, term });
    this.#parts.depose();
  }

  #plead(record: VerifiedRecord): void {
    const { log, network, key, reach } = this.#parts;
    const { electors, sequencer } = log.state;
    if (!this.#isTakeable(record) || !this.#count(key.id)) return;
    const json = JSON.parse(fromUtf8(recordBytes(record)));
    for (const elector of electors)
      if (elector !== key.id && elector !== sequencer)
        void reach(elector)
          .then((isHere) => (isHere ? askJson(network, elector, 'plead', json) : undefined))
          .catch(() => {});
  }

  /** Whether one more record of `device` may be shown or tried in this round. Counts it. */
  #count(device: DeviceId): boolean {
    const { round } = this.#parts.log.state;
    if (this.#round !== round.number) this.#pleas.clear();
    this.#round = round.number;
    const count = (this.#pleas.get(device) ?? 0) + 1;
    this.#pleas.set(device, count);
    return count <= MOST_PLEAS;
  }

  /** The answer; `undefined` where there is none in time. */
  #within(sending: Promise<Receipt>, ms: number): Promise<Receipt | undefined> {
    const stop = new AbortController();
    const answered = sending.catch(() => undefined).finally(() => stop.abort());
    const late = this.#parts.clock.sleep(ms, stop.signal).then(
      () => undefined,
      () => answered,
    );
    return Promise.race([answered, late]);
  }

  #part(divisor: number): number {
    return Math.floor(this.#state.charter.succession.silenceMs / divisor);
  }

  get #rounds(): number | undefined {
    return this.#state.charter.succession.complaintRounds;
  }

  get #state(): State {
    return this.#parts.log.state;
  }
}

function isSame(a: RecordBody, b: RecordBody): boolean {
  return a.device === b.device && a.seq === b.seq;
}
