/**
 * A crowd in the simulated world: thousands of light members and a handful of full ones, on the production sequencer, log
 * and reducer, with a fifth of the light trainers failing in every round.
 *
 * What is simulated: time, network, disks, and the training (hashes). What is light: see `LightMember`.
 */
import { below, type DeviceId, rememberSignatures, SeededRandom } from '@folkmoot/core';
import { Artifacts, Bases } from '@folkmoot/node';
import type { Event, State } from '@folkmoot/protocol';
import type { Charter, Entry } from '@folkmoot/records';
import { PretendWork } from '../pretend-work.ts';
import { Life } from '../sim-life.ts';
import { type SimPerson, SimRun } from '../sim-run.ts';
import { PRETENDED, type Training } from '../training.ts';
import { Barriers } from './barriers.ts';
import { LightMember, lightKeys, type Shared } from './light-member.ts';
import { MemoryStore } from './memory-store.ts';

/** How often the light members look at what they owe, at most ... */
const LOOK_MS = 2000;
/** ... and in parts of a segment: a member proper acts at once, and what is late by a segment is work lost. */
const LOOKS_PER_SEGMENT = 10;
/** Newcomers that come in a round: a few less than the rules take, so that full members find a place too. */
const JOINS_IN_ROUND = 250;
/** Signatures that the process remembers: the full members check the same entries. */
const REMEMBERED = 20_000;

export interface CrowdOptions {
  readonly seed: string;
  readonly charter: Charter;
  /** Of all kinds; full ones are among them. */
  readonly members: number;
  /** At least 2: the sequencer, and the host of the light ones. */
  readonly full: number;
  readonly failingPercent: number;
  /** Virtual milliseconds that a pretended segment takes. */
  readonly segmentMs: number;
}

export class SimCrowd {
  readonly run: SimRun;
  readonly barriers = new Barriers();
  /** Everything that the log has brought about, in order. */
  readonly events: Event[] = [];
  readonly troubles: unknown[] = [];
  failures = 0;
  readonly #options: CrowdOptions;
  readonly #light = new Map<DeviceId, LightMember>();
  readonly #random: SeededRandom;
  readonly #stop = new AbortController();
  #shared: Shared | undefined;
  /** Light members that were started, whether they are in the log or not. */
  #started = 0;
  #keeping = new AbortController();
  #down: LightMember[] = [];

  constructor(options: CrowdOptions) {
    const { seed, charter, segmentMs } = options;
    rememberSignatures(REMEMBERED);
    this.#options = options;
    this.#random = new SeededRandom(`crowd ${seed}`);
    const training: Training = {
      ...PRETENDED,
      workOf: (clock, rules) => new PretendWork(clock, rules, segmentMs),
    };
    this.run = new SimRun(seed, charter, {}, () => training);
    for (let i = 0; i < options.full; i++) this.run.add({ name: i === 1 ? 'host' : `full ${i}` });
  }

  get state(): State {
    return this.host.state!;
  }

  get host(): SimPerson {
    return this.run.people[1]!;
  }

  /** Members that the log knows. */
  get size(): number {
    return Object.keys(this.state.members).length;
  }

  /** Starts the full members, and the light ones as the rounds take them. */
  async start(): Promise<void> {
    const { clock } = this.run;
    await clock.drive(this.run.start(this.run.creator));
    await clock.drive(this.run.start(this.host));
    this.#share();
    const { log } = this.host.member!;
    log.watch((entry, events) => this.#see(entry, events));
    for (const person of this.run.people.slice(2)) void this.run.start(person).catch((error) => this.#trouble(error));
    this.#look();
  }

  /** A full member comes when the run is under way; resolves when it is in the log. */
  async joinFull(name: string): Promise<SimPerson> {
    const person = this.run.add({ name });
    await this.run.clock.drive(this.run.start(person));
    return person;
  }

  stop(): void {
    this.#stop.abort();
    this.#keeping.abort();
    for (const member of this.#light.values()) member.goDown();
  }

  #share(): void {
    const { run, host } = this;
    const { clock, charter } = run;
    const { seed, segmentMs } = this.#options;
    const store = new MemoryStore();
    // What full members make is fetched by one device for all.
    const gateway = run.hub.join(lightKeys(seed, -1).device.id, new Life());
    const work = new PretendWork(clock, charter, segmentMs);
    const artifacts = new Artifacts(gateway, store, clock);
    const bases = new Bases(artifacts, work, () => {});
    const [door] = run.doors();
    const onTrouble = (error: unknown) => this.#trouble(error);
    const { log } = host.member!;
    this.#shared = { seed, charter, clock, log, store, artifacts, bases, work, door: door!, onTrouble };
    for (const bytes of [PRETENDED.base, work.zeroMoments(), work.zeroError()]) void store.put(bytes);
    bases.enter(charter.initialBase);
    for (const person of run.people) void this.#reach(gateway, person);
  }

  /** Full members may still be starting. */
  async #reach(gateway: { connect(address: string): Promise<DeviceId> }, person: SimPerson): Promise<void> {
    const { clock } = this.run;
    for (;;) {
      const [address] = person.process?.network.addresses() ?? [];
      const isThere = address !== undefined && (await gateway.connect(address).then(Boolean, () => false));
      if (isThere || this.#stop.signal.aborted) return;
      await clock.sleep(1000);
    }
  }

  /** Every so often: newcomers, and whoever may owe something. */
  #look(): void {
    if (this.#stop.signal.aborted) return;
    this.#welcome();
    const { round, electors, members } = this.state;
    const concerned = new Set([...Object.keys(round.seats), ...round.witnesses, ...electors]);
    for (const [id, light] of this.#light) {
      const member = members[id];
      if (!member) continue;
      const owes = !member.ready || member.audits.length > 0 || member.cases.length > 0 || light.isBusy;
      if (owes || concerned.has(id)) light.tend();
    }
    const lookMs = Math.min(LOOK_MS, Math.ceil(this.#options.segmentMs / LOOKS_PER_SEGMENT));
    this.run.clock.schedule(lookMs, () => this.#look());
  }

  #welcome(): void {
    const { members, full } = this.#options;
    const wanted = members - full;
    const waiting = this.#started - this.#light.size;
    let room = JOINS_IN_ROUND - this.state.round.joins - waiting;
    for (; room > 0 && this.#started < wanted; room--) void this.#begin(this.#started++);
  }

  async #begin(index: number): Promise<void> {
    const network = this.run.hub.join(lightKeys(this.#options.seed, index).device.id, new Life());
    try {
      const light = await LightMember.start(this.#shared!, index, network, this.#stop.signal);
      this.#light.set(light.id, light);
    } catch (error) {
      this.#trouble(error);
    }
  }

  #see(entry: Entry, events: readonly Event[]): void {
    this.barriers.see(entry, this.state);
    for (const event of events) {
      this.events.push(event);
      if (event.kind === 'assigned') this.#assigned();
      if (event.kind === 'finalized') void this.#adopt(event).catch((error) => this.#trouble(error));
      // In time for the round's end: with more than a third of its electors down it would wait for them.
      if (event.kind === 'included' || event.kind === 'void') this.#comeBack();
      if (event.kind === 'finalized' || event.kind === 'void') this.#roundOver();
    }
  }

  /** Some of those who have a seat or stand by fail in the middle of the round; keepers watch. */
  #assigned(): void {
    const { round, charter } = this.state;
    const { failingPercent, segmentMs } = this.#options;
    const usualMs = (charter.stepsPerRound / charter.stepsPerSegment) * segmentMs;
    for (const device of [...Object.keys(round.seats), ...round.reserves]) {
      const light = this.#light.get(device);
      if (!light || below(this.#random, 100) >= failingPercent) continue;
      const { number } = round;
      this.run.clock.schedule(below(this.#random, usualMs), () => {
        if (this.state.round.number !== number || this.state.round.phase !== 'train') return;
        this.failures++;
        light.goDown();
        this.#down.push(light);
      });
    }
    this.#keeping = new AbortController();
    for (const device of round.keepers)
      void this.#light
        .get(device)
        ?.keep(this.#keeping.signal)
        .catch((error) => this.#trouble(error));
  }

  #comeBack(): void {
    for (const light of this.#down.splice(0)) light.comeBack();
  }

  #roundOver(): void {
    this.#keeping.abort();
    // What members tell holds every entry: of thousands of members it is more than they are.
    for (const person of this.run.people) {
      const troubles = person.notices.filter(({ kind }) => kind === 'trouble');
      person.notices.splice(0, person.notices.length, ...troubles);
      person.events.length = 0;
    }
  }

  async #adopt(event: Extract<Event, { kind: 'finalized' }>): Promise<void> {
    const included = event.trainers.map((trainer, i) => ({ trainer, update: event.updates[i]! }));
    const { base, nextBase } = event.content;
    const place = { base, previous: event.previous };
    await this.#shared!.bases.adopt(this.state, event.round, place, included, nextBase);
  }

  #trouble(error: unknown): void {
    if (!this.#stop.signal.aborted) this.troubles.push(error);
  }
}
