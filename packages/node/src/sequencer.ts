/** The sequencer: puts records in order and in time. It decides nothing that `check` does not decide. */
import { type Clock, canonicalBytes, type DeviceId, type DeviceKey, type Network, WorldError } from '@folkmoot/core';
import { check, nextDeadline } from '@folkmoot/protocol';
import { MAX_RECORD_BYTES, parseRecord, recordBytes, signEntry, type VerifiedRecord } from '@folkmoot/records';
import { askJson } from './exchange.ts';
import type { Guard } from './guard.ts';
import type { Log } from './log.ts';
import type { Receipt } from './voice.ts';

/** What a member answers that can bring a record nowhere. */
export const NOT_ORDERING = 'this member does not order the log';
/** Characters of a reason that a peer gives. */
const MAX_REASON = 500;
/** How long the sequencer sleeps at most before it looks at the clock again. */
const LONGEST_NAP_MS = 1000;
/** It says something so many times in the span of silence after which electors vote. */
const BEATS_IN_SILENCE = 3;
const OTHER_LOG = 'the record names a log entry that this log does not have';

export class Sequencer {
  readonly #log: Log;
  readonly #key: DeviceKey;
  readonly #clock: Clock;
  readonly #signTick: () => VerifiedRecord;
  readonly #onRefused: (record: VerifiedRecord) => void;
  #isReady = false;
  /** How far the log's time is behind the clock: the time without a sequencer, so that rounds only paused. By term. */
  #behind: { readonly term: number; readonly ms: number } | undefined;

  /** `signTick` makes a `tick` record with the device's next sequence number. `onRefused` is told what the log refuses here. */
  constructor(
    log: Log,
    key: DeviceKey,
    clock: Clock,
    signTick: () => VerifiedRecord,
    onRefused: (record: VerifiedRecord) => void = () => {},
  ) {
    this.#log = log;
    this.#key = key;
    this.#clock = clock;
    this.#signTick = signTick;
    this.#onRefused = onRefused;
  }

  /** Whether this device holds the present term, and everything before it is here. */
  get leads(): boolean {
    return this.#isReady && this.#log.state.sequencer === this.#key.id;
  }

  /** From now on this member orders the log whenever the log says so: it has seen what the others have. */
  begin(): void {
    this.#isReady = true;
  }

  /** Takes records from everybody. Where another holds the term they are brought there, if it is connected. */
  serve(network: Network, guard: Guard): void {
    const limits = { maxRequestBytes: MAX_RECORD_BYTES, maxConcurrentPerPeer: 8 };
    const take = (peer: DeviceId, request: Uint8Array) => this.#take(network, peer, request, guard);
    network.serve(
      'submit',
      async function* (peer, request) {
        yield canonicalBytes({ ...(await take(peer, request)) });
      },
      limits,
    );
  }

  async #take(network: Network, peer: DeviceId, request: Uint8Array, guard: Guard): Promise<Receipt> {
    const record = parseRecord(request);
    if (!record.ok) {
      guard.report(peer, 'malformed');
      return { accepted: false, reason: record.reason };
    }
    const { body } = record.value;
    // Without a ticket, accounts cost nothing: what is scarce is the place that they come from.
    const isNewcomer = body.kind === 'join' && !(body.admission && this.#log.state.charter.admission);
    if (isNewcomer && check(this.#log.state, record.value) === null && !guard.admitsNewcomer(peer))
      return { accepted: false, reason: 'too many newcomers from this address; try again in a minute' };
    if (!this.leads) return this.#pass(network, record.value);
    if (await this.#isOfAnotherPast(body.seen)) {
      this.#onRefused(record.value);
      return { accepted: false, reason: OTHER_LOG };
    }
    const receipt = await this.submit(() => record.value);
    // Whoever has not heard of the present term yet does nothing wrong.
    if (!receipt.accepted && body.term === this.#log.state.term) guard.report(peer, 'refused');
    return receipt;
  }

  async #pass(network: Network, record: VerifiedRecord): Promise<Receipt> {
    const { sequencer } = this.#log.state;
    const isRefused = check(this.#log.state, record) !== null;
    if (isRefused) this.#onRefused(record);
    if (!network.peers().includes(sequencer) || isRefused) return { accepted: false, reason: NOT_ORDERING };
    return submitTo(network, sequencer, record);
  }

  /**
   * Appends the record that `sign` gives, or says why not. Resolves when it is on disk. It is asked for after a due tick:
   * of this device's own records the tick would otherwise take the later number, and make the earlier one a repetition.
   */
  async submit(sign: () => VerifiedRecord): Promise<Receipt> {
    if (!this.leads) return { accepted: false, reason: 'this member does not order the log any more' };
    // From here to `append` nothing waits: the order of checking is the order of the log.
    const ticked = this.#tickIfDue();
    const record = sign();
    const reason = this.#forked(record) ?? check(this.#log.state, record);
    const appended = reason === null ? this.#append(record) : undefined;
    if (reason !== null) this.#onRefused(record);
    const { index } = this.#log.state.head;
    await Promise.all([ticked, appended]);
    return reason === null ? { accepted: true, index } : { accepted: false, reason, index };
  }

  /** Tells the time whenever a deadline passes, until `signal` aborts. Throws what keeps the log from the disk. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#log.flushed();
      if (!this.leads) {
        await this.#clock.sleep(LONGEST_NAP_MS / 4, signal).catch(() => {});
        continue;
      }
      await this.#tickIfDue();
      const deadline = nextDeadline(this.#log.state);
      const napMs =
        deadline === undefined ? LONGEST_NAP_MS : Math.min(LONGEST_NAP_MS, Math.max(1, deadline - this.#nowMs()));
      await this.#clock.sleep(napMs, signal).catch(() => {});
    }
  }

  /** A record that names another log would make every follower report a fork. */
  #forked({ body }: VerifiedRecord): string | null {
    const id = this.#log.idAt(body.seen.index);
    return id === undefined || id === body.seen.id ? null : OTHER_LOG;
  }

  /** The same of entries that are on the disk alone. They stay what they are, so it may be asked before the record's turn. */
  async #isOfAnotherPast({ index, id }: VerifiedRecord['body']['seen']): Promise<boolean> {
    return index < this.#log.heldFrom - 1 && (await this.#log.idOf(index)) !== id;
  }

  #tickIfDue(): Promise<unknown> {
    const deadline = nextDeadline(this.#log.state);
    const nowMs = this.#nowMs();
    const { head, charter } = this.#log.state;
    const beatMs = charter.succession.silenceMs / BEATS_IN_SILENCE;
    const isDue = (deadline !== undefined && deadline <= nowMs) || nowMs - head.atMs >= beatMs;
    return isDue ? this.#append(this.#signTick()) : Promise.resolve();
  }

  #append(record: VerifiedRecord): Promise<unknown> {
    const { term, head } = this.#log.state;
    const { index, id, atMs } = head;
    // A clock that was set back must not make the log go back.
    const place = { index: index + 1, prev: id, atMs: Math.max(this.#nowMs(), atMs), term };
    return this.#log.append(signEntry(place, record, this.#key));
  }

  #nowMs(): number {
    const { term, head } = this.#log.state;
    const nowMs = this.#clock.now();
    if (this.#behind?.term !== term) this.#behind = { term, ms: head.index < 0 ? 0 : Math.max(0, nowMs - head.atMs) };
    return nowMs - this.#behind.ms;
  }
}

/** Brings a record to `peer`. Throws where it cannot be reached or answers with something else. */
export async function submitTo(network: Network, peer: DeviceId, record: VerifiedRecord): Promise<Receipt> {
  const json = JSON.parse(new TextDecoder().decode(recordBytes(record)));
  const { accepted, index, reason } = ((await askJson(network, peer, 'submit', json)) ?? {}) as Record<string, unknown>;
  const at = Number.isSafeInteger(index) ? (index as number) : undefined;
  if (accepted === true && at !== undefined) return { accepted, index: at };
  if (accepted === false && typeof reason === 'string')
    return { accepted, reason: reason.slice(0, MAX_REASON), ...(at !== undefined && { index: at }) };
  throw new WorldError('peer-failed', 'A member answered a record with something else.', { facts: { peer } });
}
