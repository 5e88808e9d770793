/**
 * A member: one device that keeps its copy of the log and does what the log says that it owes.
 *
 * No protocol rule lives here. Duties come from `protocol`, heavy work from `Work`, and everything outside from the
 * interfaces of `core`, so that the same member runs on libp2p and in the simulator.
 */
import {
  type AccountKey,
  type Canonical,
  type Cells,
  type Clock,
  canonicalJson,
  type DeviceKey,
  fromUtf8,
  type Hash,
  hashOf,
  isWorldError,
  type Journal,
  type Mirror,
  type Network,
  type Store,
  toHex,
  utf8,
  WorldError,
} from '@folkmoot/core';
import { type DisputeDuty, type Duty, duties, type Event, zeroCarry } from '@folkmoot/protocol';
import {
  type Charter,
  charterBytes,
  type Entry,
  type Invited,
  runId,
  type SealedEnvelope,
  type VerifiedRecord,
} from '@folkmoot/records';
import { Artifacts } from './artifacts.ts';
import { Auditor } from './auditor.ts';
import { Bases } from './bases.ts';
import { Branches } from './branches.ts';
import type { Conduct } from './conduct.ts';
import { type Probe, serveDialBack } from './dial-back.ts';
import { Disputant } from './disputant.ts';
import { Elections } from './elections.ts';
import { Guard } from './guard.ts';
import { joinRequest, throwIfShutOut, type Vouched } from './joining.ts';
import { Keepsakes } from './keepsakes.ts';
import { Leases } from './leases.ts';
import { Log } from './log.ts';
import type { Notice } from './notices.ts';
import { Peers } from './peers.ts';
import { Promises } from './promises.ts';
import { followLog, serveLog } from './replication.ts';
import { reproduce } from './reproducer.ts';
import { scoreHelp } from './scorer.ts';
import { Sequencer, submitTo } from './sequencer.ts';
import { TaskList } from './task-list.ts';
import { storeZeros, Trainer } from './trainer.ts';
import { mustAccept, type Receipt, Voice } from './voice.ts';
import { Witness } from './witness.ts';
import type { Work } from './work.ts';
import type { Workbench } from './workbench.ts';

const RETRY_MS = 2000;
/** How long a sequencer that starts again waits for what the others know. */
const ASK_MS = 3000;
/** Longest stay for those who still read the log's end. */
const LINGER_MS = 3000;

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
  readonly #trainer: Trainer;
  readonly #witness: Witness;
  readonly #auditor: Auditor;
  readonly #disputant: Disputant;
  readonly #sequencer: Sequencer;
  readonly #branches: Branches;
  readonly #elections: Elections;
  readonly #promises: Promises;
  readonly #keepsakes: Keepsakes;
  readonly #tasks: TaskList;
  readonly #stopping = new AbortController();
  readonly #watchers = new Set<(notice: Notice) => void>();
  #fail: (error: unknown) => void = () => {};
  /** All who follow this copy of the log have all of it. */
  #isTaken: () => boolean = () => true;
  /** The log is as long as the others'; before that, nothing is done. */
  #live = false;
  #paused = false;
  #upkeep: Promise<void> = Promise.resolve();
  /** Whom to ask next to pass a record on. */
  #passed = 0;
  /** Proofs against devices, until the log has them. */
  readonly #forks = new Map<string, { first: string; second: string }>();

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
    const voice = new Voice(key, log.state, (sign) => this.#submit(sign));
    this.#promises = promises;
    const own = { artifacts: this.artifacts, bases, promises, secret, notify };
    const shared = { charter, key, log, voice, work, cells, clock, ...own };
    this.#bench = { ...shared, leases: new Leases(shared, network) };
    this.#trainer = new Trainer(this.#bench, conduct?.offer);
    this.#witness = new Witness(this.#bench, parts.seedChainLinks);
    this.#auditor = new Auditor(this.#bench);
    this.#disputant = new Disputant(this.#bench);
    this.#sequencer = new Sequencer(log, key, clock, () => voice.sign('tick', {}));
    this.#branches = new Branches(network, log, clock, promises, (fork) => void this.#proveFork(fork));
    this.#elections = new Elections({ network, log, clock, key, voice, promises, branches: this.#branches });
    this.#keepsakes = new Keepsakes([
      ...parts.pinned,
      runId(charter),
      charter.initialBase,
      charter.zeroMoments,
      charter.zeroError,
    ]);
    this.#tasks = new TaskList(
      clock,
      (error) => this.#trouble(error),
      () => this.#tend(),
    );
    log.watch((entry, events) => this.#onEntry(entry, events));
    log.watchTurns((index) => this.#notify({ kind: 'turned', index }));
  }

  /**
   * Opens what the disk holds, connects, and takes part until `stop`. Resolves when the member is in the log, or
   * throws what keeps it out (`disk-full`, `log-forked`, `invite-unreachable`, `invite-foreign`, `refused`, `log-damaged`).
   */
  static async start(parts: MemberParts, watcher?: (notice: Notice) => void): Promise<Member> {
    const log = await Log.open(parts.charter, parts.journal, parts.cells);
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
    return this.#auditor.fetchedBytes;
  }

  /** Says goodbye, so that nobody waits, and stops. */
  async leave(): Promise<void> {
    // Whoever has left is not ready, which is a duty: without this it would come back at once.
    this.#live = false;
    // Nothing more is owed, or the next look at the duties would say `ready` again.
    this.#tasks.stop();
    // A sequencer that is gone must not keep anybody from leaving.
    await Promise.race([this.#sayGoodbye().catch(() => {}), this.#parts.clock.sleep(2000).catch(() => {})]);
    await this.#untilTaken();
    await this.stop();
  }

  /** The last entries go to all who follow, as far as they take them soon: there may be nobody else to get them from. */
  async #untilTaken(): Promise<void> {
    const { clock } = this.#parts;
    const giveUpMs = clock.now() + LINGER_MS;
    while (!this.#isTaken() && clock.now() < giveUpMs && !this.#stopping.signal.aborted)
      await clock.sleep(50, this.#stopping.signal).catch(() => {});
  }

  async #sayGoodbye(): Promise<void> {
    const { key, clock } = this.#parts;
    while (this.log.state.members[key.id]) {
      const receipt = await this.#sayLeave();
      if (receipt.accepted) return;
      // A round that ended meanwhile makes the record stale: say it again.
      await clock.sleep(100, this.#stopping.signal);
    }
  }

  /** Nobody counts on this device any more, unless it has had a say in how the round ends. */
  async #sayLeave(): Promise<Receipt> {
    const { state } = this.log;
    const { term } = state;
    const place = { round: state.round.number, base: state.base, term };
    return this.#bench.voice.say('leave', { abstains: await this.#promises.abstain(state) }, place);
  }

  /** Stops all work and closes the log. The network and the engine belong to the caller. */
  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort(new Error('stopped'));
    this.#tasks.stop();
    await this.#upkeep.catch(() => {});
    await this.log.snapshot().catch(() => {});
    await this.log.close().catch(() => {});
  }

  async #begin(): Promise<void> {
    const { network, clock, store, charter } = this.#parts;
    const { signal } = this.#stopping;
    await this.#checkDesync();
    await store.put(charterBytes(charter));
    await storeZeros(this.#bench);
    for (let i = 0; i < this.log.length; i++) this.#keepsakes.observe(this.log.recordAt(i));
    this.artifacts.serve();
    this.peers.serve();
    if (this.#parts.probe) serveDialBack(network, clock, this.#parts.probe);
    this.#bench.leases.serve();
    this.#isTaken = serveLog(network, this.log, clock);
    this.#sequencer.serve(network, this.#guard);
    this.#branches.serve();
    this.#elections.serve();
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

  /** A member that once found the witnesses' base wrong does not take it for granted after a restart. */
  async #checkDesync(): Promise<void> {
    const kept = await this.#parts.cells.read('desync');
    if (!kept) return;
    throw new WorldError('desync', `This member stopped because a base came out differently here: ${fromUtf8(kept)}`, {
      help: 'Check the round with `folkmoot replay`. If this machine was wrong, remove the file cells/desync in the run’s folder and start again.',
    });
  }

  /** Resolves when this log is as long as that of a peer, or when nobody knows better than the one who orders it. */
  async #catchUp(): Promise<void> {
    const { network, clock, key, signal: outside } = this.#parts;
    const { signal } = this.#stopping;
    const notify = (notice: Notice) => this.#notify(notice);
    if (this.log.state.sequencer === key.id) await this.#askEverybody();
    if (this.log.state.sequencer === key.id) this.#sequencer.begin();
    await new Promise<void>((resolve, reject) => {
      const give = () => reject(outside!.reason);
      if (outside?.aborted) give();
      outside?.addEventListener('abort', give, { once: true });
      const leads = () => this.#sequencer.leads;
      if (leads()) resolve();
      const parts = {
        network,
        log: this.log,
        clock,
        branches: this.#branches,
        notify,
        leads,
        guard: this.#guard,
        onCaughtUp: resolve,
      };
      this.#background(followLog(parts, signal));
      this.#background(this.#branches.run(signal));
    });
    this.#sequencer.begin();
  }

  /** Whoever held the term before it stopped may have lost it meanwhile: those who are here know. */
  async #askEverybody(): Promise<void> {
    const { network, clock } = this.#parts;
    const { signal } = this.#stopping;
    const asked = network.peers().map((peer) => this.#branches.look(peer, signal).catch(() => {}));
    const late = new AbortController();
    await Promise.race([Promise.all(asked), clock.sleep(ASK_MS, late.signal).catch(() => {})]);
    late.abort();
  }

  /** Joins where the log does not know this device. A round that ends meanwhile makes the record stale: say it again. */
  async #join(): Promise<void> {
    const { key, clock, charter } = this.#parts;
    const request = joinRequest(this.#parts);
    // Long enough for electors to find another who orders the log.
    const most = 20 + Math.ceil((4 * charter.succession.silenceMs) / 1000);
    for (let attempt = 0; !this.log.state.members[key.id]; attempt++) {
      const receipt = await this.#bench.voice.say('join', request).catch((error) => {
        if (attempt >= most) throw error;
        return undefined;
      });
      if (receipt && !receipt.accepted) throwIfShutOut(receipt.reason, request);
      if (receipt && !receipt.accepted && attempt >= most) mustAccept(receipt, 'request to join');
      for (let wait = 0; wait < 10 && !this.log.state.members[key.id]; wait++)
        await clock.sleep(100, this.#stopping.signal);
    }
  }

  /** To whoever orders the log: this member, one that it is connected to, or one that another can reach. */
  async #submit(sign: () => VerifiedRecord): Promise<Receipt> {
    if (this.#sequencer.leads) return this.#sequencer.submit(sign);
    const { network } = this.#parts;
    const { sequencer } = this.log.state;
    const peers = network.peers();
    if (!peers.includes(sequencer))
      for (const address of this.peers.addressesOf(sequencer))
        if (
          await network.connect(address, this.#stopping.signal).then(
            () => true,
            () => false,
          )
        )
          break;
    const connected = network.peers();
    const to = connected.includes(sequencer) ? sequencer : connected[this.#passed++ % Math.max(1, connected.length)];
    if (to === undefined)
      throw new WorldError('peer-unreachable', 'The member that orders the log cannot be reached.', {
        facts: { sequencer },
        help: 'It is tried again; without it, electors vote for another.',
      });
    return submitTo(network, to, sign());
  }

  /** Two entries of one device for one place: told, kept for everybody, and a reason to vote its author away. */
  async #proveFork(fork: readonly [SealedEnvelope, SealedEnvelope]): Promise<void> {
    const [first, second] = fork.map((envelope) => canonicalJson(envelope as unknown as Canonical)) as [string, string];
    const { device, envelope } = fork[0];
    if (this.log.state.members[device]?.banned || this.#forks.has(device)) return;
    this.#forks.set(device, { first, second });
    const proof = canonicalJson({ run: this.log.state.run, first, second });
    this.#notify({ kind: 'fork-proven', device, term: envelope.term, index: envelope.index, proof });
    if (device === this.log.state.sequencer) this.#elections.depose();
    await this.#parts.cells.write(`fork-${device.slice(0, 16)}`, utf8(proof)).catch(() => {});
    this.#tend();
  }

  #onEntry(entry: Entry, events: readonly Event[]): void {
    this.#keepsakes.observe(entry.record.body);
    this.#elections.heard();
    this.#notify({ kind: 'entry', entry, events });
    for (const event of events) if (event.kind === 'finalized' && this.#live) this.#adopt(event);
    if (this.#live) this.#parts.conduct?.watch?.(this.#bench, entry, events)?.catch((error) => this.#trouble(error));
    this.#tend();
  }

  /** After a round: the next base by own arithmetic, its hold-out loss, and a tidy store; in order, beside the duties. */
  #adopt(event: Extract<Event, { kind: 'finalized' }>): void {
    const included = event.trainers.map((trainer, i) => ({ trainer, update: event.updates[i]! }));
    const { base, nextBase } = event.content;
    const place = { base, previous: event.previous };
    this.#upkeep = this.#upkeep.then(async () => {
      if (this.#stopping.signal.aborted) return;
      try {
        await this.#untilAvailable(() =>
          this.#bench.bases.adopt(this.log.state, event.round, place, included, nextBase),
        );
        if (this.#parts.evaluates) await this.#evaluate(event.round, nextBase);
        await this.#tidy();
      } catch (error) {
        if (isWorldError(error, 'desync')) await this.#parts.cells.write('desync', utf8(error.message)).catch(() => {});
        this.#trouble(error);
      }
    });
  }

  /** Tries again while bytes cannot be had: without the round's updates there is no next base to stand on. */
  async #untilAvailable(task: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await task();
      } catch (error) {
        if (!isWorldError(error, 'artifact-unavailable')) throw error;
        this.#notify({ kind: 'trouble', error });
        await this.#parts.clock.sleep(RETRY_MS, this.#stopping.signal);
      }
    }
  }

  async #evaluate(round: number, base: Hash): Promise<void> {
    const params = await this.#bench.bases.get(this.log.state, base);
    this.#notify({ kind: 'evaluated', round, base, holdoutLoss: await this.#parts.work.evaluate(params) });
  }

  async #tidy(): Promise<void> {
    const { key } = this.#parts;
    const carry = this.log.state.members[key.id]?.carry;
    if (!carry) return;
    const mine = [
      ...(await this.#trainer.openable()),
      ...(await this.#auditor.needed()),
      ...this.#disputant.needed(),
      carry.moments,
      carry.error,
    ];
    await this.artifacts.collect([...this.#keepsakes.ids, ...mine]);
  }

  /** Looks at the duties and gives them to the roles. */
  #tend(): void {
    if (!this.#live || this.#stopping.signal.aborted) return;
    const done = this.#paused || this.log.state.finalized >= (this.#parts.rounds ?? Number.POSITIVE_INFINITY);
    const owed = duties(this.log.state, this.#parts.key.id).filter((duty) => !(done && duty.kind === 'train'));
    const tasks = new Map<string, (signal: AbortSignal) => Promise<unknown>>();
    for (const duty of owed) tasks.set(nameOf(duty), (signal) => this.#behave(duty, signal));
    // Once a round, while nobody shows preimages yet.
    if (this.log.state.round.phase === 'train' && this.#witness.freshTip() !== undefined)
      tasks.set('seed chain', () => this.#sayReady(this.#witness.freshTip()));
    // What let this device in was taken back with the end of the log.
    if (!this.log.state.members[this.#parts.key.id]) tasks.set('join', () => this.#join());
    for (const [device, proof] of this.#forks)
      if (this.log.state.members[device]?.banned === false)
        tasks.set(`fault ${device}`, () => this.#bench.voice.say('fault', proof));
    if (this.#promises.isAbstaining(this.log.state) && this.log.state.electors.includes(this.#parts.key.id))
      tasks.set('abstain', () => this.#sayLeave());
    this.#tasks.settle(tasks);
  }

  #behave(duty: Duty, signal: AbortSignal): Promise<unknown> {
    const honest = (like = duty) => this.#perform(like, signal);
    return this.#parts.conduct?.perform?.(this.#bench, duty, honest, signal) ?? honest();
  }

  async #perform(duty: Duty, signal: AbortSignal): Promise<unknown> {
    switch (duty.kind) {
      case 'ready':
        return this.#sayReady();
      case 'train':
        return this.#train(duty, signal);
      case 'answer':
        return this.#bench.voice.say('alive', { seat: duty.seat }, duty);
      case 'reveal':
        return this.#trainer.reveal(duty);
      case 'attest':
        return this.#witness.attest(duty, signal);
      case 'finalize':
        return this.#witness.finalize(duty, signal);
      case 'seal':
        return this.#witness.seal(duty);
      case 'open':
        return this.#trainer.open(duty.audit);
      case 'close':
        return this.#trainer.close(duty.audit);
      case 'audit':
        return this.#auditor.audit(duty.audit, signal);
      case 'judge':
        return this.#auditor.judge(duty.audit, signal);
      case 'score':
        return scoreHelp(this.#bench, duty, signal);
      case 'reproduce':
        return reproduce(this.#bench, duty, signal);
      default:
        return this.#disputant.perform(duty, signal);
    }
  }

  /** Ready again; with a declared reset where the carried state is gone from this disk. */
  async #sayReady(tip = this.#witness.tip()): Promise<Receipt> {
    const { store, key, work } = this.#parts;
    const { carry } = this.log.state.members[key.id] ?? { carry: zeroCarry(this.#parts.charter) };
    const reset = (await store.size(carry.moments)) === undefined || (await store.size(carry.error)) === undefined;
    return this.#bench.voice.say('ready', { tip, engine: work.engineName, reset });
  }

  async #train(duty: Extract<Duty, { kind: 'train' }>, signal: AbortSignal): Promise<unknown> {
    try {
      return await this.#trainer.train(duty, signal);
    } catch (error) {
      if (!isWorldError(error, 'artifact-unavailable') && !isWorldError(error, 'artifact-corrupt')) throw error;
      // The carried state is gone: sit this round out, and start the next one from zeros.
      await this.#sayReady();
      throw error;
    }
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

function nameOf(duty: Duty): string {
  if ('audit' in duty) return `${duty.kind} ${duty.audit.round} ${duty.audit.trainer} ${duty.audit.auditors.length}`;
  if ('found' in duty) return disputeName(duty);
  if (duty.kind === 'ready') return 'ready';
  if (duty.kind === 'reproduce') {
    const { round, trainer } = duty.reproduction;
    return `reproduce ${round} ${trainer}`;
  }
  if (duty.kind === 'train') return `train ${duty.round} ${duty.seed}`;
  return 'draw' in duty ? `${duty.kind} ${duty.round} ${duty.draw}` : `${duty.kind} ${duty.round}`;
}

/** With the number of moves: an answer to an older one must not be taken for an answer to this. */
function disputeName(duty: DisputeDuty): string {
  const { round, trainer } = duty.found.audit;
  return `${duty.kind} ${round} ${trainer} ${duty.accuser} ${'game' in duty ? duty.game.moves : ''}`;
}
