/**
 * A light member: a device of its own with the production roles, in a process that it shares with thousands.
 *
 * Its own: keys, voice, sequence numbers, secrets, promises, cells, a place on the simulated network. Everything that it
 * says is signed by its own key and goes over that network to the production sequencer. Shared with the other light
 * members: one copy of the log (that of a full member, their host), one store, one base, one pretended machine. So what
 * one of them has stored is not lost while another is away.
 */
import {
  type AccountKey,
  accountKey,
  type Cells,
  type Clock,
  canonicalBytes,
  type DeviceId,
  type DeviceKey,
  deviceKey,
  fromHex,
  hashOf,
  type Network,
} from '@folkmoot/core';
import {
  Artifacts,
  type Bases,
  dutyName,
  join,
  joinRequest,
  Leases,
  type Log,
  Promises,
  Roles,
  submitTo,
  TaskList,
  Voice,
  type Work,
} from '@folkmoot/node';
import { duties } from '@folkmoot/protocol';
import type { Charter } from '@folkmoot/records';
import type { MemoryStore } from './memory-store.ts';

/** Long enough for the rounds of a simulation. */
const SEED_CHAIN_LINKS = 64;

/** What light members have in common. */
export interface Shared {
  readonly seed: string;
  readonly charter: Charter;
  readonly clock: Clock;
  readonly log: Log;
  readonly store: MemoryStore;
  readonly artifacts: Artifacts;
  readonly bases: Bases;
  readonly work: Work;
  /** Where the sequencer is. */
  readonly door: string;
  readonly onTrouble: (error: unknown) => void;
}

export class LightMember {
  readonly key: DeviceKey;
  readonly #account: AccountKey;
  readonly #shared: Shared;
  readonly #network: Network;
  readonly #roles: Roles;
  readonly #bench: ConstructorParameters<typeof Roles>[0];
  #tasks: TaskList;
  #up = new AbortController();
  #isBusy = false;
  #isDown = false;

  private constructor(shared: Shared, keys: Keys, network: Network, cells: Cells, promises: Promises) {
    const { clock, log, charter, artifacts, bases, work } = shared;
    this.key = keys.device;
    this.#account = keys.account;
    this.#shared = shared;
    this.#network = network;
    const voice = new Voice(this.key, log.state, (sign) => submitTo(network, log.state.sequencer, sign()));
    const secret = (purpose: string) => hashOf('light-secret', shared.seed, this.key.id, purpose);
    const own = { charter, key: this.key, log, voice, work, artifacts, bases, cells, clock, promises, secret };
    const bench = { ...own, notify: () => {} };
    this.#bench = { ...bench, leases: new Leases(bench, network) };
    this.#roles = new Roles(this.#bench, undefined, SEED_CHAIN_LINKS);
    this.#tasks = this.#newTasks();
  }

  /** Connects with the sequencer and joins; resolves when the log knows it. */
  static async start(shared: Shared, index: number, network: Network, signal: AbortSignal): Promise<LightMember> {
    const cells = memoryCells();
    const member = new LightMember(shared, lightKeys(shared.seed, index), network, cells, await Promises.open(cells));
    member.#serve();
    await network.connect(shared.door, signal);
    const { charter } = shared;
    const request = joinRequest({ charter, key: member.key, account: member.#account, name: `light ${index}` });
    await join(member.#bench, request, signal);
    return member;
  }

  /** Something is under way, or was when it looked last. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  get id(): DeviceId {
    return this.key.id;
  }

  /** Looks at the duties and gives them to the roles. */
  tend(): void {
    if (this.#isDown) return;
    const { state } = this.#shared.log;
    const tasks = new Map<string, (signal: AbortSignal) => Promise<unknown>>();
    for (const duty of duties(state, this.id)) tasks.set(dutyName(duty), (signal) => this.#roles.behave(duty, signal));
    const tip = state.round.phase === 'train' && tasks.size === 0 ? this.#roles.witness.freshTip() : undefined;
    if (tip !== undefined) tasks.set('seed chain', () => this.#roles.sayReady(tip));
    if (tasks.size === 0 && !this.#isBusy) return;
    this.#isBusy = tasks.size > 0;
    this.#tasks.settle(tasks);
  }

  /** Watches trainers, as long as it is their keeper and is up. */
  keep(signal: AbortSignal): Promise<void> {
    return this.#bench.leases.keep(AbortSignal.any([signal, this.#up.signal]));
  }

  /** From now on it does and says nothing, until `comeBack`. */
  goDown(): void {
    this.#isDown = true;
    this.#up.abort();
    this.#tasks.stop();
  }

  comeBack(): void {
    if (!this.#isDown) return;
    this.#isDown = false;
    this.#up = new AbortController();
    this.#tasks = this.#newTasks();
  }

  #newTasks(): TaskList {
    const { clock, onTrouble } = this.#shared;
    return new TaskList(clock, onTrouble, () => this.tend());
  }

  /** What full members ask of whoever they are connected with. */
  #serve(): void {
    const { store, clock, log } = this.#shared;
    new Artifacts(this.#network, store, clock).serve();
    const hello = canonicalBytes({ run: log.state.run, peers: [] });
    this.#network.serve(
      'hello',
      async function* () {
        yield hello;
      },
      { maxRequestBytes: 8192, maxConcurrentPerPeer: 2 },
    );
  }
}

interface Keys {
  readonly device: DeviceKey;
  readonly account: AccountKey;
}

/** Of light member `index`. */
export function lightKeys(seed: string, index: number): Keys {
  return {
    device: deviceKey(fromHex(hashOf('light-device', seed, index))),
    account: accountKey(fromHex(hashOf('light-account', seed, index))),
  };
}

function memoryCells(): Cells {
  const cells = new Map<string, Uint8Array>();
  return {
    read: async (name) => cells.get(name),
    write: async (name, bytes) => {
      cells.set(name, bytes);
    },
  };
}
