/** A member on this machine: opens the home, the network and the engine, and takes part until it is closed. */
import { availableParallelism } from 'node:os';
import { ADVERSARIES, type AdversaryName } from '@folkmoot/adversaries';
import { type Hash, isWorldError, LOOPBACK, placeOf, WorldError } from '@folkmoot/core';
import {
  type ArtifactServer,
  createNetwork,
  httpMirror,
  isDirectFromAfar,
  type Libp2pNetwork,
  probe,
  type ReachOptions,
  serveArtifacts,
} from '@folkmoot/network';
import {
  Artifacts,
  fetchCharter,
  fetchLineage,
  fetchRunData,
  firstDoor,
  Guard,
  Member,
  memoryPlan,
  type Notice,
  rememberedAddresses,
  systemClock,
  TensorWork,
  type Vouched,
} from '@folkmoot/node';
import { type Charter, headerId, type Invited } from '@folkmoot/records';
import { type DiskStore, lockHome, openCells, openDiskStore, openJournal } from '@folkmoot/store';
import type { Engine, EngineKind } from '@folkmoot/tensor';
import { createEngine, startEngine } from '@folkmoot/tensor/node';
import { type Identity, openIdentity } from '../identity.ts';
import { memoryBudget } from '../memory/memory-budget.ts';
import { freeMemory } from './free-memory.ts';
import { keepRun, type RunNote, readRunNote, runFolder } from './run-folder.ts';
import { type Totals, toTenths } from './totals.ts';

/** How long two members behind routers may take to meet: six attempts and one without agreement. */
const MEETING_MS = 45_000;

export interface SessionOptions {
  readonly home: string;
  readonly name?: string;
  /** Address to listen at: `127.0.0.1` for this machine only, `0.0.0.0` for everybody. */
  readonly host: string;
  /** 0 or absent: the port of last time, else any free one. */
  readonly port?: number;
  /** Multiaddresses to tell others instead of those listened at. */
  readonly announce?: readonly string[];
  /** How it is reached behind a router; nothing of it where it listens on this machine only. */
  readonly reach?: ReachOptions;
  readonly threads?: number;
  /** Another engine than the charter's: an auditor may use `exact` on a `native` run. */
  readonly engine?: EngineKind;
  readonly cheater?: AdversaryName;
  readonly evaluates: boolean;
  /** No training after so many finished rounds. */
  readonly rounds?: number;
  /** A header that the log must contain, from the invite. */
  readonly header?: Hash;
  /** HTTP addresses from which artifacts can be had too. */
  readonly mirrors?: readonly string[];
  /** Port at which this member serves artifacts over HTTP. */
  readonly httpPort?: number;
  /** What lets a newcomer in, from the invite. */
  readonly ticket?: Invited;
  /** Where the account's key is on another machine. */
  readonly vouched?: Vouched;
  /** Most memory that training may take; default: what is available. */
  readonly memoryBytes?: number;
  readonly maxStoreBytes?: number;
  readonly watch: (notice: Notice) => void;
  readonly signal: AbortSignal;
}

/** A home that is open: locked, with keys, and the network listening. */
export interface OpenHome {
  readonly identity: Identity;
  readonly network: Libp2pNetwork;
  readonly guard: Guard;
  readonly release: () => Promise<void>;
}

export class Session {
  readonly charter: Charter;
  readonly member: Member;
  readonly store: DiskStore;
  readonly engine: Engine;
  readonly network: Libp2pNetwork;
  readonly identity: Identity;
  readonly http: ArtifactServer | undefined;
  readonly #work: TensorWork;
  readonly #release: () => Promise<void>;
  #closing: Promise<void> | undefined;

  private constructor(
    parts: Pick<Session, 'charter' | 'member' | 'store' | 'engine' | 'network' | 'identity' | 'http'>,
    work: TensorWork,
    release: () => Promise<void>,
  ) {
    this.charter = parts.charter;
    this.member = parts.member;
    this.store = parts.store;
    this.engine = parts.engine;
    this.network = parts.network;
    this.identity = parts.identity;
    this.http = parts.http;
    this.#work = work;
    this.#release = release;
  }

  /** Takes part in the run of `note`, and keeps it. Throws what keeps this member out; then everything is closed again. */
  static async open(
    home: OpenHome,
    note: Omit<RunNote, 'port' | 'addresses'>,
    options: SessionOptions,
  ): Promise<Session> {
    const opened: (() => Promise<unknown>)[] = [home.release, () => home.network.close()];
    try {
      const session = await Session.#enter(home, note, options, opened);
      freeMemory();
      return session;
    } catch (error) {
      for (const close of opened.reverse()) await close().catch(() => {});
      throw error;
    }
  }

  static async #enter(
    { identity, network, guard, release }: OpenHome,
    note: Omit<RunNote, 'port' | 'addresses'>,
    options: SessionOptions,
    opened: (() => Promise<unknown>)[],
  ): Promise<Session> {
    const { signal, watch } = options;
    const folder = runFolder(options.home, note.run);
    const store = await openDiskStore({ path: folder.store, maxBytes: options.maxStoreBytes });
    // Before this member joins: a port that is taken must not use up an invite.
    const http =
      options.httpPort === undefined
        ? undefined
        : await serveArtifacts({
            store,
            host: options.host,
            port: options.httpPort,
            admits: (place) => guard.admitsFrom(place, 'http'),
          });
    if (http) opened.push(() => http.close());
    const mirrors = [...new Set(options.mirrors ?? [])].map(httpMirror);
    const artifacts = new Artifacts(network, store, systemClock, undefined, mirrors);
    const cells = await openCells(folder.cells);
    // A member that has the run already starts without anybody; only a newcomer must reach somebody.
    const isNew = (await store.size(note.run)) === undefined;
    if (isNew) await reachSomebody(network, [...note.doors, ...(await rememberedAddresses(cells))], signal);
    const charter = await fetchCharter(artifacts, note.run, signal).catch((error) => {
      throw isNew && isWorldError(error, 'artifact-unavailable') ? foreignRun(note, error) : error;
    });
    const lineage = await fetchLineage(artifacts, charter, systemClock, signal);
    // Not before: a wrong invite must not become this home's current run.
    const addresses = network.addresses();
    // Of announced addresses the port is the router's.
    const port = options.announce ? (options.port ?? 0) : portOf(addresses);
    await keepRun(options.home, { ...note, port, addresses });
    // Before anything is fetched that this machine could not work on.
    const plan = memoryPlan(charter, await memoryBudget(charter.engine.kind, options));
    const data = await fetchRunData(artifacts, charter, watch, signal);
    const threads = options.threads ?? availableParallelism();
    const start = () => startEngine(charter.engine.kind, options.engine, { threads });
    const engine = await start();
    opened.push(() => engine.close());
    const getShard = (id: Hash) => artifacts.get(id, { maxBytes: 2 ** 26 });
    const work = new TensorWork(charter, engine, data.manifest, getShard, {
      renewEngine: start,
      plan,
      openExact: () => createEngine('exact', { threads: Math.min(threads, 16) }),
    });
    const member = await Member.start(
      {
        charter,
        key: identity.device,
        account: identity.account,
        vouched: options.vouched,
        ticket: options.ticket,
        name: options.name ?? `member-${identity.device.id.slice(0, 6)}`,
        network,
        guard,
        clock: systemClock,
        store,
        journal: await openJournal(folder.journal),
        cells,
        work,
        doors: note.doors,
        mirrors,
        probe,
        pinned: [...data.pinned, ...lineage.pinned],
        shares: lineage.shares,
        conduct: options.cheater && ADVERSARIES[options.cheater].conduct(),
        evaluates: options.evaluates,
        rounds: options.rounds,
        signal,
      },
      watch,
    );
    opened.push(() => member.stop());
    const session = new Session({ charter, member, store, engine, network, identity, http }, work, release);
    await checkHeader(member, options.header);
    return session;
  }

  /** What this process has sent and spent so far. */
  totals(): Totals {
    const { training, auditing } = this.#work.spentMs;
    const cpu = process.cpuUsage();
    return {
      sentBytes: this.network.traffic().sentBytes,
      auditBytes: this.member.auditBytes,
      trainSeconds: toTenths(training / 1000),
      auditSeconds: toTenths(auditing / 1000),
      cpuSeconds: toTenths((cpu.user + cpu.system) / 1e6),
    };
  }

  /** Says goodbye and closes everything; once, however often it is called. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.member.leave();
    await this.http?.close();
    await this.#work.close().catch(() => {});
    await this.engine.close();
    await this.network.close();
    await this.#release();
  }
}

/** Locks the home and starts listening. Throws `home-in-use`, `port-taken`. */
export async function openHome(
  options: Pick<SessionOptions, 'home' | 'host' | 'port' | 'announce' | 'reach'>,
  run?: Hash,
): Promise<OpenHome> {
  const release = await lockHome(options.home);
  try {
    const identity = await openIdentity(options.home);
    const lastPort = run === undefined ? 0 : ((await readRunNote(options.home, run))?.port ?? 0);
    const guard = new Guard(systemClock);
    return { identity, release, guard, network: await listen(identity, options, lastPort, guard) };
  } catch (error) {
    await release();
    throw error;
  }
}

/** From the options of `create` and `join`. Throws `address-invalid`. */
export function reachOf({ relay, upnp }: { relay?: readonly string[]; upnp?: boolean }): ReachOptions {
  const wrong = relay?.find((address) => !/^\/(ip4|ip6|dns4?|dns6)\/[^/]+\/tcp\/\d+\/p2p\/[A-Za-z0-9]+$/.test(address));
  if (wrong !== undefined)
    throw new WorldError('address-invalid', `"${wrong.slice(0, 120)}" is not the address of a relay.`, {
      help: 'Give it as /ip4/203.0.113.7/tcp/4801/p2p/12D3…: "folkmoot relay" prints it.',
    });
  return { through: relay, findsRelays: relay === undefined, upnp };
}

async function listen(
  identity: Identity,
  { host, port, announce, reach }: Pick<SessionOptions, 'host' | 'port' | 'announce' | 'reach'>,
  lastPort: number,
  gate: Guard,
): Promise<Libp2pNetwork> {
  const at = (chosen: number) =>
    createNetwork({
      secret: identity.device.secret,
      listen: [`/ip${host.includes(':') ? 6 : 4}/${host}/tcp/${chosen}`],
      announce,
      gate,
      reach: placeOf(host) === LOOPBACK ? undefined : reach,
    });
  if (port) return at(port);
  try {
    return await at(lastPort);
  } catch (error) {
    // The port of last time went to somebody else meanwhile: any other will do, and peers learn of it.
    if (lastPort === 0 || !isWorldError(error, 'port-taken')) throw error;
    return at(0);
  }
}

/** Whoever takes part in a run has its charter. */
function foreignRun({ run }: Pick<RunNote, 'run'>, cause: WorldError): WorldError {
  return new WorldError('invite-foreign', 'Who answers at this address takes part in another run.', {
    facts: { run },
    help: 'Ask for a new invite: the member may have moved, or the address was given to somebody else.',
    cause,
  });
}

/** An invite names a header, so that nobody is led into another history of the same run. */
export async function checkHeader({ log }: Pick<Member, 'log'>, header: Hash | undefined): Promise<void> {
  if (header === undefined || header === log.state.run || header === log.state.lastHeader) return;
  for await (const body of log.records()) if (body.kind === 'header' && headerId(body.header) === header) return;
  throw new WorldError('invite-foreign', 'The log of this run does not contain the header that the invite names.', {
    facts: { header },
    help: 'Either the invite or the log that is shown here is not genuine. Ask the member who invited you, another way.',
  });
}

/** Throws `invite-unreachable`. */
export async function reachSomebody(
  network: Libp2pNetwork,
  doors: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const peer = await firstDoor(doors, (door) => network.connect(door, signal), systemClock, signal).catch((cause) => {
    signal.throwIfAborted();
    throw new WorldError('invite-unreachable', 'No member of this run answers at the addresses in the invite.', {
      facts: { addresses: doors.join(' ') },
      help: 'Check that the member who invited you is running and can be reached from here, or ask for a newer invite.',
      cause,
    });
  });
  // No other door is tried meanwhile: that would disturb the routers' moment.
  await untilDirect(network, peer, signal);
}

/** Where a relay leads to the peer, the routers may let both meet in a moment; artifacts go only then. */
async function untilDirect(network: Libp2pNetwork, peer: string, signal: AbortSignal): Promise<void> {
  for (let waitedMs = 0; waitedMs < MEETING_MS && network.wayTo(peer) === 'relayed'; waitedMs += 200)
    await systemClock.sleep(200, signal);
}

/** The port that this machine listens on; a router's need not be the same. */
function portOf(addresses: readonly string[]): number {
  const direct = addresses.filter((address) => !address.includes('/p2p-circuit'));
  const own = direct.find((address) => !isDirectFromAfar(address)) ?? direct[0];
  return Number(/\/tcp\/(\d+)/.exec(own ?? '')?.[1] ?? 0);
}
