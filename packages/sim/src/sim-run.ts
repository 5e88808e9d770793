/** A run in the simulated world: the production member code on simulated machines, from one seed. */
import {
  type AccountKey,
  accountKey,
  assert,
  type DeviceId,
  type DeviceKey,
  deviceKey,
  fromHex,
  type Hash,
  hashOf,
  isWorldError,
  SeededRandom,
} from '@folkmoot/core';
import { Artifacts, type Conduct, fetchLineage, type LineageFound, Member, type Notice } from '@folkmoot/node';
import type { Event, Share, State } from '@folkmoot/protocol';
import type { Charter } from '@folkmoot/records';
import { PretendWork } from './pretend-work.ts';
import { SimClock } from './sim-clock.ts';
import type { Conditions } from './sim-link.ts';
import { SimMachine, type SimProcess } from './sim-machine.ts';
import { SimNetwork } from './sim-network.ts';
import { PRETENDED, type Training } from './training.ts';

/** Short, so that seed chains wear out and are renewed within some eight rounds. */
const SEED_CHAIN_LINKS = 24;

export interface SimMemberOptions {
  readonly name?: string;
  /** One that somebody has elsewhere too. Default: an account of its own. */
  readonly account?: AccountKey;
  readonly conduct?: Conduct;
}

/** A person's machine: keys, disk, and the member process while it runs. */
export class SimPerson {
  readonly name: string;
  readonly key: DeviceKey;
  readonly account: AccountKey;
  readonly machine: SimMachine;
  readonly options: SimMemberOptions;
  readonly notices: Notice[] = [];
  readonly events: Event[] = [];
  member: Member | undefined;
  /** Of the process that runs, or ran last; `undefined` where training is real. */
  work: PretendWork | undefined;
  process: SimProcess | undefined;
  /** Why the member could not go on in this life. */
  failure: unknown;

  constructor(run: SimRun, index: number, options: SimMemberOptions) {
    this.name = options.name ?? `person ${index}`;
    this.key = deviceKey(fromHex(hashOf('device', run.seed, index)));
    this.account = options.account ?? accountKey(fromHex(hashOf('account', run.seed, index)));
    this.machine = new SimMachine(run.clock, run.hub, run.random, this.key.id);
    this.options = options;
  }

  get id(): DeviceId {
    return this.key.id;
  }

  get state(): State | undefined {
    return this.member?.log.state;
  }
}

export class SimRun {
  readonly seed: string;
  readonly clock: SimClock;
  readonly random: SeededRandom;
  readonly hub: SimNetwork;
  readonly charter: Charter;
  readonly people: SimPerson[] = [];
  /** Told everything that members tell. */
  watch: (person: SimPerson, notice: Notice) => void = () => {};

  readonly #training: Training;
  /** What accounts bring, as the creator of a fork has it; the others fetch and check it. */
  readonly #shares: readonly Share[] | undefined;

  /**
   * `charter` is adapted to the training and to this world's first person, who is its creator and sequencer. `beside`:
   * another run, in whose world this one takes place, with what accounts bring where it is a fork.
   */
  constructor(
    seed: string,
    charter: Charter,
    conditions: Partial<Conditions> = {},
    training: (clock: SimClock) => Training = () => PRETENDED,
    beside?: { readonly run: SimRun; readonly shares?: readonly Share[] },
  ) {
    this.seed = seed;
    this.random = new SeededRandom(`sim ${seed}`);
    this.clock = beside?.run.clock ?? new SimClock();
    this.hub = beside?.run.hub ?? new SimNetwork(this.clock, this.random, conditions);
    this.#shares = beside?.shares;
    this.#training = training(this.clock);
    const sequencer = deviceKey(fromHex(hashOf('device', seed, 0))).id;
    const base = charter.lineage && { initialBase: charter.initialBase };
    this.charter = { ...this.#training.charterOf(charter), ...base, sequencer };
  }

  get creator(): SimPerson {
    return this.people[0]!;
  }

  /** Adds a person without starting anything. */
  add(options: SimMemberOptions = {}): SimPerson {
    const person = new SimPerson(this, this.people.length, options);
    this.people.push(person);
    return person;
  }

  /** Boots the person's machine and member; resolves when it is in the log, or when it crashed meanwhile. */
  async start(person: SimPerson): Promise<void> {
    const process = person.machine.boot();
    person.process = process;
    person.failure = undefined;
    const network = process.network;
    const work = this.#training.workOf(process.clock, this.charter);
    person.work = work instanceof PretendWork ? work : undefined;
    if (person === this.creator) await process.store.put(this.#training.base);
    const lineage = await this.#lineageFor(person, process);
    const member = await Member.start(
      {
        charter: this.charter,
        key: person.key,
        account: person.account,
        name: person.name,
        network,
        clock: process.clock,
        store: process.store,
        journal: process.openJournal('log'),
        cells: process.cells,
        work,
        doors: person === this.creator ? [] : this.doors(),
        pinned: lineage.pinned,
        shares: lineage.shares,
        conduct: person.options.conduct,
        seedChainLinks: SEED_CHAIN_LINKS,
      },
      (notice) => {
        person.notices.push(notice);
        if (notice.kind === 'entry') person.events.push(...notice.events);
        this.watch(person, notice);
      },
    );
    person.member = member;
    member.failed.catch((error) => {
      if (person.member === member) person.failure = error;
    });
  }

  /** As a member that enters by an invite does it: nothing of the run is opened before. */
  async #lineageFor(
    person: SimPerson,
    { network, store, clock }: SimProcess,
  ): Promise<Partial<LineageFound> & { pinned: readonly Hash[] }> {
    const { lineage } = this.charter;
    if (!lineage) return { pinned: [] };
    const { parent, pedigree, credits } = lineage;
    if (person === this.creator)
      return { shares: this.#shares, pinned: [parent, pedigree.id, ...(credits ? [credits.id] : [])] };
    for (const door of this.doors()) await network.connect(door).catch(() => {});
    return fetchLineage(new Artifacts(network, store, clock), this.charter, clock);
  }

  /** Kills the person's process at this very moment. */
  crash(person: SimPerson): void {
    person.machine.crash();
    person.member = undefined;
    person.process = undefined;
  }

  /** Starts everybody, the creator first. */
  async startAll(): Promise<void> {
    await this.clock.drive(this.start(this.creator));
    await this.clock.drive(Promise.all(this.people.slice(1).map((person) => this.start(person))));
  }

  /** Lets the world go on until `isDone`; false after `limitMs` of virtual time. */
  until(isDone: () => boolean, limitMs = 3_600_000): Promise<boolean> {
    return this.clock.runUntil(isDone, this.clock.now() + limitMs);
  }

  /** Troubles that members told, for messages of failed tests. */
  troubles(): string[] {
    return this.people.flatMap((person, i) =>
      person.notices.flatMap((notice) =>
        notice.kind === 'trouble'
          ? [
              `${i}: ${isWorldError(notice.error) ? `${notice.error.code} ${notice.error.message}` : String(notice.error)}`,
            ]
          : [],
      ),
    );
  }

  doors(): string[] {
    const addresses = this.people.flatMap((person) => person.process?.network.addresses() ?? []);
    assert(addresses.length > 0, 'somebody is there to be joined');
    return addresses.slice(0, 3);
  }
}
