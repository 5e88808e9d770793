/** The sequencer: puts records in order and in time. It decides nothing that `check` does not decide. */
import { type Clock, canonicalBytes, type DeviceId, type DeviceKey, type Network } from '@folkmoot/core';
import { check, nextDeadline } from '@folkmoot/protocol';
import { MAX_RECORD_BYTES, parseRecord, signEntry, type VerifiedRecord } from '@folkmoot/records';
import type { Guard } from './guard.ts';
import type { Log } from './log.ts';
import type { Receipt } from './voice.ts';

/** How long the sequencer sleeps at most before it looks at the clock again. */
const LONGEST_NAP_MS = 1000;

export class Sequencer {
  readonly #log: Log;
  readonly #key: DeviceKey;
  readonly #clock: Clock;
  readonly #signTick: () => VerifiedRecord;
  /** How far the log's time is behind the clock: the time that the sequencer was down, so that rounds only paused. */
  readonly #behindMs: number;

  /** `signTick` makes a `tick` record with the device's next sequence number. */
  constructor(log: Log, key: DeviceKey, clock: Clock, signTick: () => VerifiedRecord) {
    this.#log = log;
    this.#key = key;
    this.#clock = clock;
    this.#signTick = signTick;
    const { index, atMs } = log.state.head;
    this.#behindMs = index < 0 ? 0 : Math.max(0, clock.now() - atMs);
  }

  /** Takes records from everybody. */
  serve(network: Network, guard: Guard): void {
    const limits = { maxRequestBytes: MAX_RECORD_BYTES, maxConcurrentPerPeer: 8 };
    const take = (peer: DeviceId, request: Uint8Array) => this.#take(peer, request, guard);
    network.serve(
      'submit',
      async function* (peer, request) {
        yield canonicalBytes({ ...(await take(peer, request)) });
      },
      limits,
    );
  }

  async #take(peer: DeviceId, request: Uint8Array, guard: Guard): Promise<Receipt> {
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
    const receipt = await this.submit(() => record.value);
    if (!receipt.accepted) guard.report(peer, 'refused');
    return receipt;
  }

  /**
   * Appends the record that `sign` gives, or says why not. Resolves when it is on disk. It is asked for after a due tick:
   * of this device's own records the tick would otherwise take the later number, and make the earlier one a repetition.
   */
  async submit(sign: () => VerifiedRecord): Promise<Receipt> {
    // From here to `append` nothing waits: the order of checking is the order of the log.
    const ticked = this.#tickIfDue();
    const record = sign();
    const reason = this.#forked(record) ?? check(this.#log.state, record);
    const appended = reason === null ? this.#append(record) : undefined;
    const { index } = this.#log.state.head;
    await Promise.all([ticked, appended]);
    return reason === null ? { accepted: true, index } : { accepted: false, reason };
  }

  /** Tells the time whenever a deadline passes, until `signal` aborts. Throws what keeps the log from the disk. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#log.flushed();
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
    return id === undefined || id === body.seen.id ? null : 'the record names a log entry that this log does not have';
  }

  #tickIfDue(): Promise<unknown> {
    const deadline = nextDeadline(this.#log.state);
    return deadline !== undefined && deadline <= this.#nowMs() ? this.#append(this.#signTick()) : Promise.resolve();
  }

  #append(record: VerifiedRecord): Promise<unknown> {
    const { index, id, atMs } = this.#log.state.head;
    // A clock that was set back must not make the log go back.
    const place = { index: index + 1, prev: id, atMs: Math.max(this.#nowMs(), atMs) };
    return this.#log.append(signEntry(place, record, this.#key));
  }

  #nowMs(): number {
    return this.#clock.now() - this.#behindMs;
  }
}
