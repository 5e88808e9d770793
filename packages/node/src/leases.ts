/**
 * Leases, both sides: a trainer shows itself every few seconds with its latest link; keepers remember who did, and say
 * in the log who has not.
 *
 * Beside the log, because a sign of life is worth nothing a minute later. What a keeper holds is one lease for each seat
 * of the round at hand. Whoever is not connected with a keeper is heard through the sequencer, of whom it asks.
 */
import { type Canonical, canonicalBytes, type DeviceId, type Hash, type Network } from '@folkmoot/core';
import { canLapse } from '@folkmoot/protocol';
import {
  heldLeaseSchema,
  isSignedLease,
  type Lease,
  leaseMark,
  leaseSchema,
  MAX_LEASE_BYTES,
  rowsId,
  type StateIds,
  segmentLink,
  segmentsAfter,
  signLease,
  startLink,
} from '@folkmoot/records';
import { ask, askJson, requestJson, SMALL } from './exchange.ts';
import type { TrainDuty } from './trainer.ts';
import type { Workbench } from './workbench.ts';

/** Leases in one answer, and trainers in one record. */
const MOST = 64;

/** What a keeper knows of a trainer. */
interface Sight {
  /** When it last showed itself, or began to be watched; by this device's clock. */
  sinceMs: number;
  lease: Lease | null;
  /** Answers of the trainer that this keeper has taken into account. */
  answers: number;
}

/** How far this device has got in its own round. */
interface Progress {
  readonly duty: TrainDuty;
  segment: number;
  link: Hash;
}

export class Leases {
  readonly #bench: Omit<Workbench, 'leases'>;
  readonly #network: Network;
  readonly #sights = new Map<DeviceId, Sight>();
  readonly #sending = new Set<DeviceId>();
  #round = 0;
  #beat = 0;
  #progress: Progress | undefined;

  constructor(bench: Omit<Workbench, 'leases'>, network: Network) {
    this.#bench = bench;
    this.#network = network;
  }

  /** Takes leases from the trainers themselves; tells those that it holds. */
  serve(): void {
    if (!this.#bench.charter.lease) return;
    const take = (peer: DeviceId, request: Uint8Array) => this.#take(peer, request);
    const tell = (request: Uint8Array) => this.#tell(request);
    this.#network.serve(
      'lease',
      async function* (peer, request) {
        take(peer, request);
        yield new Uint8Array(0);
      },
      { maxRequestBytes: MAX_LEASE_BYTES, maxConcurrentPerPeer: 2 },
    );
    this.#network.serve(
      'leases',
      async function* (_peer, request) {
        yield tell(request);
      },
      { maxRequestBytes: MOST * 80, maxConcurrentPerPeer: 2 },
    );
  }

  /** Shows this trainer every few seconds until `signal` aborts. */
  async show(duty: TrainDuty, signal: AbortSignal): Promise<void> {
    const { charter, clock } = this.#bench;
    if (!charter.lease) return;
    const { base, seed, seat } = duty;
    this.#progress = { duty, segment: 0, link: startLink(base, seed, seat.seat, seat.carryIn.moments) };
    while (!signal.aborted) {
      this.#showNow();
      await clock.sleep(charter.lease.everyMs, signal).catch(() => {});
    }
  }

  /** The trainer has reached the end of its next segment. */
  reached(duty: TrainDuty, state: StateIds): void {
    const progress = this.#progress;
    if (progress?.duty !== duty) return;
    const { seat, skip } = duty.seat;
    progress.segment++;
    progress.link = segmentLink(progress.link, state, rowsId(duty.seed, seat, skip + progress.segment));
    this.#showNow();
  }

  /** Watches the trainers of every round of which this device is a keeper, until `signal` aborts. */
  async keep(signal: AbortSignal): Promise<void> {
    const { charter, clock } = this.#bench;
    if (!charter.lease) return;
    const { everyMs } = charter.lease;
    let lookedMs = clock.now();
    while (!signal.aborted) {
      await clock.sleep(everyMs, signal).catch(() => {});
      if (signal.aborted) return;
      // Whoever stood still itself, a closed laptop, has missed the others' leases.
      if (clock.now() - lookedMs > 3 * everyMs) this.#sights.clear();
      lookedMs = clock.now();
      await this.#look().catch((error) => this.#bench.notify({ kind: 'trouble', error }));
    }
  }

  #showNow(): void {
    const { key, log } = this.#bench;
    if (!this.#progress) return;
    const { duty, segment, link } = this.#progress;
    const { run, round, sequencer } = log.state;
    const place = { run, round: duty.round, base: duty.base, device: key.id, seat: duty.seat.seat };
    const lease = signLease({ kind: 'lease', ...place, beat: ++this.#beat, segment, mark: leaseMark(link) }, key);
    if (sequencer === key.id) this.#note(lease);
    const bytes = canonicalBytes(lease as unknown as Canonical);
    const connected = new Set(this.#network.peers());
    for (const peer of new Set([sequencer, ...round.keepers]))
      if (peer !== key.id && connected.has(peer) && !this.#sending.has(peer)) void this.#send(peer, bytes);
  }

  /** One at a time to each: a slow keeper gets the next one later. */
  async #send(peer: DeviceId, lease: Uint8Array): Promise<void> {
    this.#sending.add(peer);
    await ask(this.#network, peer, 'lease', lease, SMALL).catch(() => {});
    this.#sending.delete(peer);
  }

  #take(peer: DeviceId, request: Uint8Array): void {
    const parsed = leaseSchema.safeParse(requestJson(request));
    if (!parsed.success || parsed.data.body.device !== peer) return;
    const { lease } = this.#sight(peer) ?? {};
    const tooSoon = lease && this.#bench.clock.now() - this.#sight(peer)!.sinceMs < this.#everyMs / 4;
    // Signatures cost time: nobody gets more of it than a trainer that keeps to the rules, who may be a segment further.
    if (tooSoon && lease.body.segment >= parsed.data.body.segment) return;
    if (this.#isNews(parsed.data)) this.#note(parsed.data);
  }

  /** Whether a lease is of a trainer of this round, newer than what is held, and signed. */
  #isNews(lease: Lease): boolean {
    const { round, base, run, charter } = this.#bench.log.state;
    const { body } = lease;
    const seat = round.seats[body.device];
    const here = round.phase === 'train' && body.run === run && body.round === round.number && body.base === base;
    if (!here || seat?.seat !== body.seat || body.segment > segmentsAfter(charter, seat)) return false;
    return body.beat > (this.#sight(body.device)?.lease?.body.beat ?? 0) && isSignedLease(lease);
  }

  /** `ageMs`: how long ago it was shown to whom this device has it from. */
  #note(lease: Lease, ageMs = 0): void {
    const sight = this.#sight(lease.body.device);
    if (!sight) return;
    sight.lease = lease;
    sight.sinceMs = Math.max(sight.sinceMs, this.#bench.clock.now() - ageMs);
  }

  /** What is known of a trainer of the round at hand; from the first look on it is watched. */
  #sight(device: DeviceId): Sight | undefined {
    const { round } = this.#bench.log.state;
    if (this.#round !== round.number) this.#sights.clear();
    this.#round = round.number;
    if (!round.seats[device]) return undefined;
    let sight = this.#sights.get(device);
    if (!sight) {
      sight = { sinceMs: this.#bench.clock.now(), lease: null, answers: 0 };
      this.#sights.set(device, sight);
    }
    const answers = round.lapses[device]?.answers ?? 0;
    if (answers > sight.answers) Object.assign(sight, { answers, sinceMs: this.#bench.clock.now() });
    return sight;
  }

  async #look(): Promise<void> {
    const { log, key, clock, charter, voice } = this.#bench;
    const { round } = log.state;
    const watched = Object.keys(round.seats).filter((trainer) => canLapse(log.state, key.id, trainer));
    const silentFor = (trainer: DeviceId) => clock.now() - (this.#sight(trainer)?.sinceMs ?? clock.now());
    const overdue = watched.filter((trainer) => silentFor(trainer) > 2 * this.#everyMs);
    // About each of them: whoever was not asked about must not be called silent.
    for (let at = 0; at < overdue.length; at += MOST) await this.#inquire(overdue.slice(at, at + MOST));
    const silent = overdue.filter(
      (trainer) => silentFor(trainer) >= charter.lease!.lapseMs && canLapse(log.state, key.id, trainer),
    );
    if (silent.length === 0 || log.state.round !== round) return;
    const seats = silent.slice(0, MOST).map((trainer) => ({ trainer, lease: this.#furtherLease(trainer) }));
    await voice.say('lapse', { seats });
  }

  /** The lease that is held of a trainer, where it tells more than the log does. */
  #furtherLease(trainer: DeviceId): Lease | null {
    const lease = this.#sight(trainer)?.lease ?? null;
    const known = this.#bench.log.state.round.lapses[trainer]?.lease?.segment ?? 0;
    return lease && lease.body.segment > known ? lease : null;
  }

  /** Asks the sequencer, whom everybody reaches, for leases that did not come here. */
  async #inquire(trainers: readonly DeviceId[]): Promise<void> {
    const { sequencer } = this.#bench.log.state;
    if (sequencer === this.#bench.key.id || !this.#network.peers().includes(sequencer)) return;
    const answer = await askJson(this.#network, sequencer, 'leases', { trainers: [...trainers] }).catch(() => []);
    if (!Array.isArray(answer)) return;
    for (const value of answer.slice(0, MOST)) {
      const parsed = heldLeaseSchema.safeParse(value);
      if (parsed.success && this.#isNews(parsed.data.lease)) this.#note(parsed.data.lease, parsed.data.ageMs);
    }
  }

  #tell(request: Uint8Array): Uint8Array {
    const { trainers } = (requestJson(request) ?? {}) as { trainers?: unknown };
    const wanted = Array.isArray(trainers) ? trainers.slice(0, MOST) : [];
    const nowMs = this.#bench.clock.now();
    const told = wanted.flatMap((trainer) => {
      const { lease, sinceMs } = this.#sights.get(trainer) ?? {};
      return lease ? [{ lease, ageMs: Math.max(0, Math.floor(nowMs - sinceMs!)) }] : [];
    });
    return canonicalBytes(told as unknown as Canonical);
  }

  get #everyMs(): number {
    return this.#bench.charter.lease!.everyMs;
  }
}
