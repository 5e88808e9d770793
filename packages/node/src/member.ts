/**
 * A member: one device that keeps its copy of the log and does what the log says that it owes.
 *
 * No protocol rule lives here. Duties come from `protocol`, heavy work from `Work`, and everything outside from the
 * interfaces of `core`, so that the same member runs on libp2p and in the simulator.
 */
import {
  type AccountKey,
  type Cells,
  type Clock,
  type DeviceKey,
  type Hash,
  hashOf,
  isWorldError,
  type Journal,
  type Mirror,
  type Network,
  type Store,
  toHex,
} from '@folkmoot/core';
import { duties, type Event, type Share } from '@folkmoot/protocol';
import { type Charter, charterBytes, type Entry, type Invited, runId, type VerifiedRecord } from '@folkmoot/records';
import { Artifacts } from './artifacts.ts';
import { Bases } from './bases.ts';
import { Branches } from './branches.ts';
import { Complaints } from './complaints.ts';
import type { Conduct } from './conduct.ts';
import { Contradictions } from './contradictions.ts';
import { Courier } from './courier.ts';
import { type Probe, serveDialBack } from './dial-back.ts';
import { Elections } from './elections.ts';
import { catchUp, checkDesync, join } from './entrance.ts';
import { sayGoodbye, sayLeave, untilTaken } from './farewell.ts';
import { FaultProofs } from './fault-proofs.ts';
import { Guard } from './guard.ts';
import { joinRequest, type Vouched } from './joining.ts';
import { Keepsakes } from './keepsakes.ts';
import { Leases } from './leases.ts';
import { Log } from './log.ts';
import type { Notice } from './notices.ts';
import { Peers } from './peers.ts';
import { Promises } from './promises.ts';
import { serveLog } from './replication.ts';
import { dutyName, Roles } from './roles.ts';
import { Sequencer } from './sequencer.ts';
import { TaskList } from './task-list.ts';
import { storeZeros } from './trainer.ts';
import { Upkeep } from './upkeep.ts';
import { Voice } from './voice.ts';
import type { Work } from './work.ts';
import type { Workbench } from './workbench.ts';

export interface MemberParts {
  readonly charter: Charter;
  readonly key: DeviceKey;
  readonly account: AccountKey;
  /** Where the account's key is on another machine: the account, and its vouch for this device. Instead of `account`. */
  readonly vouched?: Vouched;
  /** What lets a newcomer into a run that is not open. */
  readonly ticket?: Invited;
  /** For people: at most 32 printable characters. */
  readonly name: string;
  readonly network: Network;
  /** Where the network's own gate asks it too; otherwise the member makes its own. */
  readonly guard?: Guard;
  readonly clock: Clock;
  readonly store: Store;
  readonly journal: Journal;
  readonly cells: Cells;
  readonly work: Work;
  /** Tries whether askers can be reached from here; without it nobody is told. */
  readonly probe?: Probe;
  /** Asked for artifacts when no peer could help. */
  readonly mirrors?: readonly Mirror[];
  /** Addresses of the invite; empty for the creator. */
  readonly doors: readonly string[];
  /** Artifacts that the run needs from the start: data, tokenizer, programs, the first base. */
  readonly pinned: readonly Hash[];
  /** What accounts bring into a fork: see `fetchLineage`. */
  readonly shares?: readonly Share[];
  /** How this member behaves; honest by default. */
  readonly conduct?: Conduct;
  /** Measures the hold-out loss of every new base. */
  readonly evaluates?: boolean;
  /** No training once so many rounds are finished; audits and everything else go on. */
  readonly rounds?: number;
  /** Links of each seed chain: short ones wear out before a simulation ends. */
  readonly seedChainLinks?: number;
  /** Ends `start` while it still waits for others. */
  readonly signal?: AbortSignal;
}

export class Member {
  readonly log: Log;
  readonly artifacts: Artifacts;
  readonly peers: Peers;
  /** Rejects when this member cannot go on: a full disk, bases that disagree. Never resolves. */
  readonly failed: Promise<never>;
  readonly #parts: MemberParts;
  readonly #guard: Guard;
  readonly #bench: Workbench;
  readonly #roles: Roles;
  readonly #sequencer: Sequencer;
  readonly #branches: Branches;
  readonly #elections: Elections;
  readonly #complaints: Complaints;
  readonly #keepsakes: Keepsakes;
  readonly #upkeep: Upkeep;
  readonly #faults: FaultProofs;
  readonly #contradictions: Contradictions;
  readonly #tasks: TaskList;
  readonly #stopping = new AbortController();
  readonly #watchers = new Set<(notice: Notice) => void>();
  #fail: (error: unknown) => void = () => {};
  /** All who follow this copy of the log have all of it. */
  #isTaken: () => boolean = () => true;
  /** The log is as long as the others'; before that, nothing is done. */
  #live = false;
  #paused = false;

  private constructor(given: MemberParts, log: Log, promises: Promises) {
    const { charter, key, clock, store, cells, work, conduct } = given;
    const guard = given.guard ?? new Guard(clock);
    const guarded = guard.over(given.network);
    const network = conduct?.network?.(guarded, { key, clock }) ?? guarded;
    const parts = { ...given, network };
    this.#guard = guard;
    this.#parts = parts;
    this.log = log;
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => {});
    this.artifacts = new Artifacts(network, store, clock, guard, parts.mirrors);
    this.peers = new Peers(network, clock, cells, runId(charter), parts.doors);
    const notify = (notice: Notice) => this.#notify(notice);
    const bases = new Bases(this.artifacts, work, notify);
    const secret = (purpose: string) => hashOf('device-secret', toHex(key.secret), runId(charter), purpose);
    const { signal } = this.#stopping;
    this.#complaints = new Complaints({
      ...{ network, log, clock, key, notify, signal },
      reach: (device) => courier.reach(device),
      depose: () => this.#elections.complain(),
    });
    const courier = new Courier(network, log, this.peers, () => this.#sequencer, this.#complaints, signal);
    const voice = new Voice(key, log.state, (sign) => courier.submit(sign));
    const own = { artifacts: this.artifacts, bases, promises, secret, notify };
    const shared = { charter, key, log, voice, work, cells, clock, ...own };
    this.#bench = { ...shared, leases: new Leases(shared, network) };
    this.#roles = new Roles(this.#bench, conduct, parts.seedChainLinks);
    this.#contradictions = new Contradictions(log, clock);
    const onRefused = (record: VerifiedRecord) => this.#lookAt(record);
    this.#sequencer = new Sequencer(log, key, clock, () => voice.sign('tick', {}), onRefused);
    this.#branches = new Branches(network, log, clock, promises, (fork) => {
      void this.#faults.proveFork(fork).then(() => this.#tend());
    });
    this.#elections = new Elections({ network, log, clock, key, voice, promises, branches: this.#branches });
    this.#faults = new FaultProofs(log, cells, notify, (device) => {
      if (device === log.state.sequencer) this.#elections.depose();
    });
    this.#keepsakes = new Keepsakes([
      ...parts.pinned,
      runId(charter),
      charter.initialBase,
      charter.zeroMoments,
      charter.zeroError,
    ]);
    const onTrouble = (error: unknown) => this.#trouble(error);
    this.#upkeep = new Upkeep({
      bench: this.#bench,
      roles: this.#roles,
      keepsakes: this.#keepsakes,
      evaluates: parts.evaluates ?? false,
      onTrouble,
      signal,
    });
    this.#tasks = new TaskList(clock, onTrouble, () => this.#tend());
    log.watch((entry, events) => this.#onEntry(entry, events));
    log.watchTurns((index) => this.#notify({ kind: 'turned', index }));
  }

  /**
   * Opens what the disk holds, connects, and takes part until `stop`. Resolves when the member is in the log, or
   * throws what keeps it out (`disk-full`, `log-forked`, `invite-unreachable`, `invite-foreign`, `refused`, `log-damaged`).
   */
  static async start(parts: MemberParts, watcher?: (notice: Notice) => void): Promise<Member> {
    const log = await Log.open(parts.charter, parts.journal, parts.cells, parts.shares);
    const member = new Member(parts, log, await Promises.open(parts.cells));
    if (watcher) member.watch(watcher);
    try {
      // What stops a member in the background stops it while it still enters, too.
      await Promise.race([member.#begin(), member.failed]);
    } catch (error) {
      await member.stop();
      throw error;
    }
    return member;
  }

  /** Tells `watcher` everything from now on; returns a function that stops that. */
  watch(watcher: (notice: Notice) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Trains no more; audits, witnessing and serving go on. */
  pause(): void {
    this.#paused = true;
    this.#tend();
  }

  /** Artifact bytes fetched for audits by this member. */
  get auditBytes(): number {
    return this.#roles.auditor.fetchedBytes;
  }

  /** Says goodbye, so that nobody waits, and stops. */
  async leave(): Promise<void> {
    // Whoever has left is not ready, which is a duty: without this it would come back at once.
    this.#live = false;
    // Nothing more is owed, or the next look at the duties would say `ready` again.
    this.#tasks.stop();
    await sayGoodbye(this.#bench, this.#stopping.signal);
    await untilTaken(this.#isTaken, this.#bench, this.#stopping.signal);
    await this.stop();
  }

  /** Stops all work and closes the log. The network and the engine belong to the caller. */
  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort(new Error('stopped'));
    this.#tasks.stop();
    await this.#upkeep.settled();
    await this.log.snapshot().catch(() => {});
    await this.log.close().catch(() => {});
  }

  async #begin(): Promise<void> {
    const { network, clock, store, charter, cells } = this.#parts;
    const { signal } = this.#stopping;
    await checkDesync(cells);
    await store.put(charterBytes(charter));
    await storeZeros(this.#bench);
    await this.#keepsakes.open(cells, this.log);
    this.artifacts.serve();
    this.peers.serve();
    if (this.#parts.probe) serveDialBack(network, clock, this.#parts.probe);
    this.#bench.leases.serve();
    this.#isTaken = serveLog(network, this.log, clock);
    this.#sequencer.serve(network, this.#guard);
    this.#branches.serve();
    this.#elections.serve();
    this.#complaints.serve();
    await this.peers.enter().catch((error) => {
      // Whoever has taken part before may be the first that is back after a reboot, and waits for the others.
      if (this.log.length === 0 || !isWorldError(error, 'invite-unreachable')) throw error;
      this.#trouble(error);
    });
    this.#background(this.peers.run((notice) => this.#notify(notice), signal));
    await this.#catchUp();
    this.#background(this.#sequencer.run(signal));
    this.#background(this.#elections.run(signal));
    await this.#join();
    const { key } = this.#parts;
    const account = this.log.state.members[key.id]?.account ?? this.#parts.account.id;
    this.#notify({ kind: 'started', device: key.id, account, addresses: network.addresses() });
    this.#bench.bases.enter(this.log.state.base);
    this.#live = true;
    this.#background(this.#bench.leases.keep(signal));
    this.#tend();
  }

  #catchUp(): Promise<void> {
    const { network, clock, key, signal: giveUp } = this.#parts;
    const shared = { network, clock, key, giveUp, log: this.log, guard: this.#guard };
    const parts = {
      ...shared,
      branches: this.#branches,
      peers: this.peers,
      sequencer: this.#sequencer,
      notify: (notice: Notice) => this.#notify(notice),
      background: (running: Promise<unknown>) => this.#background(running),
    };
    return catchUp(parts, this.#stopping.signal);
  }

  #join(): Promise<void> {
    return join(this.#bench, joinRequest(this.#parts), this.#stopping.signal);
  }

  #onEntry(entry: Entry, events: readonly Event[]): void {
    this.#keepsakes.observe(entry.record.body);
    this.#elections.heard();
    this.#notify({ kind: 'entry', entry, events });
    if (events.some(({ kind }) => kind === 'rejected')) this.#lookAt(entry.record);
    for (const event of events) if (event.kind === 'finalized' && this.#live) this.#upkeep.adopt(event);
    if (this.#live) this.#parts.conduct?.watch?.(this.#bench, entry, events)?.catch((error) => this.#trouble(error));
    this.#tend();
  }

  /** The log has refused `record`: does it hold another of the same device for the same place? */
  #lookAt(record: VerifiedRecord): void {
    const found = record.body.device === this.#parts.key.id ? undefined : this.#contradictions.with(record);
    if (found) void this.#faults.proveContradiction(found).then(() => this.#tend());
  }

  /** Looks at the duties and gives them to the roles. */
  #tend(): void {
    if (!this.#live || this.#stopping.signal.aborted) return;
    const done = this.#paused || this.log.state.finalized >= (this.#parts.rounds ?? Number.POSITIVE_INFINITY);
    const owed = duties(this.log.state, this.#parts.key.id).filter((duty) => !(done && duty.kind === 'train'));
    const tasks = new Map<string, (signal: AbortSignal) => Promise<unknown>>();
    for (const duty of owed) tasks.set(dutyName(duty), (signal) => this.#roles.behave(duty, signal));
    // Once a round, while nobody shows preimages yet.
    const tip = this.log.state.round.phase === 'train' ? this.#roles.witness.freshTip() : undefined;
    if (tip !== undefined) tasks.set('seed chain', () => this.#roles.sayReady(tip));
    // What let this device in was taken back with the end of the log.
    if (!this.log.state.members[this.#parts.key.id]) tasks.set('join', () => this.#join());
    for (const [device, proof] of this.#faults.unsaid())
      tasks.set(`fault ${device}`, () => this.#bench.voice.say('fault', proof));
    if (this.#bench.promises.isAbstaining(this.log.state) && this.log.state.electors.includes(this.#parts.key.id))
      tasks.set('abstain', () => sayLeave(this.#bench));
    this.#tasks.settle(tasks);
  }

  #notify(notice: Notice): void {
    for (const watcher of [...this.#watchers]) watcher(notice);
  }

  #trouble(error: unknown): void {
    this.#notify({ kind: 'trouble', error });
    const fatal = ['desync', 'disk-full', 'store-full', 'engine-crashed'];
    if (fatal.some((code) => isWorldError(error, code))) this.#fail(error);
  }

  #background(running: Promise<unknown>): void {
    running.catch((error) => {
      if (this.#stopping.signal.aborted) return;
      this.#notify({ kind: 'trouble', error });
      this.#fail(error);
    });
  }
}
