/**
 * Branches: after a change of terms, members may hold logs with different ends. Each tells the others where its log
 * stands, and goes over to one that is ahead: more finished rounds, or as many and a later term.
 */
import {
  assert,
  type Canonical,
  type Clock,
  canonicalBytes,
  type DeviceId,
  type Hash,
  isHash,
  type Network,
} from '@folkmoot/core';
import { apply, readEntry, type State } from '@folkmoot/protocol';
import { type Entry, envelopeOf, MAX_ENTRY_BYTES, parseJson, type SealedEnvelope } from '@folkmoot/records';
import { askJson, requestJson } from './exchange.ts';
import type { Log } from './log.ts';
import type { Promises } from './promises.ts';

/** A log is asked after this often, one peer at a time. */
const ASK_MS = 2000;
const IDLE_MS = 16_000;
/** Longest end of a log that is compared: what a round can add to it, many times over. */
const MAX_BRANCH_ENTRIES = 50_000;
const MAX_BRANCH_BYTES = 64 * 2 ** 20;

/** Where a log stands. */
export interface Tip {
  readonly finalized: number;
  readonly term: number;
  readonly index: number;
  /** The id of the entry that was asked for, or of the last one where the log is shorter. */
  readonly at: { readonly index: number; readonly id: Hash };
}

/** The end of a peer's log, from where it leaves this one. */
export interface Branch {
  /** The last entry that both logs have. */
  readonly common: number;
  readonly entries: readonly Entry[];
  /** What the peer's log folds to. */
  readonly state: State;
  /** Two entries that one device has signed for one place, where the logs part so. */
  readonly fork?: readonly [SealedEnvelope, SealedEnvelope];
}

export type ForkListener = (fork: readonly [SealedEnvelope, SealedEnvelope]) => void;

export class Branches {
  readonly #network: Network;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #promises: Promises;
  readonly #onFork: ForkListener;
  #turn: Promise<unknown> = Promise.resolve();
  /** A peer whose log goes on where this one ends, and whether into a later round or term than the sequencer known here. */
  ahead: { readonly peer: DeviceId; readonly isLater: boolean } | undefined;

  constructor(network: Network, log: Log, clock: Clock, promises: Promises, onFork: ForkListener) {
    this.#network = network;
    this.#log = log;
    this.#clock = clock;
    this.#promises = promises;
    this.#onFork = onFork;
  }

  serve(): void {
    const limits = { maxRequestBytes: 1024, maxConcurrentPerPeer: 4 };
    const answer = (request: Uint8Array) => this.#answer(request);
    this.#network.serve(
      'tip',
      async function* (_peer, request) {
        yield await answer(request);
      },
      limits,
    );
  }

  /** Looks at one peer after another until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    for (let turn = 0; !signal.aborted; turn++) {
      await this.#clock.sleep(ASK_MS, signal).catch(() => {});
      const peers = this.#network.peers().sort();
      const peer = peers[turn % Math.max(1, peers.length)];
      if (peer !== undefined && !signal.aborted) await this.look(peer, signal).catch(() => {});
    }
  }

  /** Asks `peer` where its log stands, and goes over to that log where it is ahead on another branch. */
  async look(peer: DeviceId, signal: AbortSignal): Promise<void> {
    const { state } = this.#log;
    const tip = await this.#ask(peer, state.head.index);
    if (!tip) return;
    const isSame = await this.#has(tip.at);
    const { head } = this.#log.state;
    const standing = compare(tip, this.#log.state);
    if (isSame && tip.index > head.index) this.ahead = { peer, isLater: standing > 0 };
    else if (this.ahead?.peer === peer) this.ahead = undefined;
    // What is only lacking here comes as this member follows; where ends stand alike, one sequencer may have signed both.
    if (!isSame && standing >= 0) await this.compareWith(peer, signal);
  }

  /** Whether the peer says that its log is not this one. Who lies about that is followed no longer, and nothing worse. */
  async isElsewhere(peer: DeviceId): Promise<boolean> {
    const tip = await this.#ask(peer, this.#log.state.head.index);
    return tip !== undefined && !(await this.#has(tip.at));
  }

  /** Reads the end of the peer's log, and goes over to it where that is ahead and no promise forbids it. */
  compareWith(peer: DeviceId, signal: AbortSignal): Promise<boolean> {
    const compared = this.#turn.then(async () => {
      const branch = await this.fetch(peer, signal);
      if (branch?.fork) this.#onFork(branch.fork);
      const { state } = this.#log;
      if (!branch || compare(branch.state, state) <= 0 || !this.#promises.allows(state, branch.state)) return false;
      await this.#log.turn(branch.common, branch.entries);
      return true;
    });
    this.#turn = compared.catch(() => {});
    return compared;
  }

  /** Reads what the peer's log has after the end of this one. */
  readOn(peer: DeviceId, signal: AbortSignal): Promise<void> {
    const read = this.#turn.then(async () => {
      const branch = await this.fetch(peer, signal);
      if (branch?.common === this.#log.state.head.index) await this.#log.turn(branch.common, branch.entries);
    });
    this.#turn = read.catch(() => {});
    return read;
  }

  /**
   * The peer's log from where it leaves this one, up to entry `until` or to its end so far. `undefined` where it does not continue
   * what is finished here, or is too long.
   */
  async fetch(peer: DeviceId, signal: AbortSignal, until?: { index: number; id: Hash }): Promise<Branch | undefined> {
    const log = this.#log;
    const { turns } = log;
    const from = await this.#commonWith(peer);
    if (from === undefined || log.turns !== turns || from < log.anchorIndex || from >= log.length) return undefined;
    const state = log.stateAt(from);
    const request = canonicalBytes({ run: state.run, from: from + 1 } as Canonical);
    const limits = { idleMs: IDLE_MS, maxMessageBytes: MAX_ENTRY_BYTES };
    const entries: Entry[] = [];
    let common = from;
    let sizeBytes = 0;
    let fork: Branch['fork'];
    for await (const message of this.#network.open(peer, 'log', request, limits, signal)) {
      if (message.length === 0 || (until && state.head.index >= until.index)) break;
      sizeBytes += message.length;
      if (entries.length >= MAX_BRANCH_ENTRIES || sizeBytes > MAX_BRANCH_BYTES) return undefined;
      const json = parseJson(message, MAX_ENTRY_BYTES);
      const entry = json.ok ? readEntry(state, json.value) : json;
      if (!entry.ok) return undefined;
      const { value } = entry;
      // The log may be turned while the peer is slow.
      if (log.turns !== turns) return undefined;
      if (entries.length === 0 && log.idAt(value.index) === value.id) common = value.index;
      else {
        if (entries.length === 0) fork = forkAt(log, state, value);
        entries.push(value);
      }
      apply(state, value);
      if (until && state.head.index === until.index) break;
    }
    if (until && state.head.id !== until.id) return undefined;
    return log.turns === turns ? { common, entries, state, fork } : undefined;
  }

  async #has({ index, id }: Tip['at']): Promise<boolean> {
    return (await this.#log.idOf(index)) === id;
  }

  async #ask(peer: DeviceId, at: number): Promise<Tip | undefined> {
    return tipOf(await askJson(this.#network, peer, 'tip', { run: this.#log.state.run, at }));
  }

  /** The last entry that both logs have, by halving; the anchor where the peer's log is another before it. */
  async #commonWith(peer: DeviceId): Promise<number | undefined> {
    const log = this.#log;
    let low = log.anchorIndex;
    let high = log.length;
    while (high - low > 1) {
      const tip = await this.#ask(peer, (low + high) >> 1).catch(() => undefined);
      // One that does not say is read from the anchor on.
      if (!tip) return log.anchorIndex;
      const { index, id } = tip.at;
      if (index <= low) high = low + 1;
      else if (log.idAt(index) === id) low = index;
      else high = index;
      if (log.anchorIndex > low) return undefined;
    }
    return low;
  }

  async #answer(request: Uint8Array): Promise<Uint8Array> {
    const { run, at } = (requestJson(request) ?? {}) as { run?: unknown; at?: unknown };
    const { state, durable } = this.#log;
    if (run !== state.run || !Number.isSafeInteger(at)) return canonicalBytes({});
    const index = Math.max(-1, Math.min(at as number, durable));
    const { finalized, term } = state;
    const id = (await this.#log.idOf(index))!;
    return canonicalBytes({ finalized, term, index: durable, at: { index, id } });
  }
}

/** Which of two logs is ahead: above 0 where the first is. Finished rounds count before terms. */
export function compare(a: Pick<Tip, 'finalized' | 'term'>, b: Pick<Tip, 'finalized' | 'term'>): number {
  return a.finalized - b.finalized || a.term - b.term;
}

/** Both entries where logs part, if one sequencer has signed both. `state`: what is common to them folds to it. */
function forkAt(log: Log, state: State, theirs: Entry): Branch['fork'] {
  if (theirs.index >= log.length) return undefined;
  const mine = log.entryAt(theirs.index);
  const signer = (entry: Entry) => (entry.term === state.term ? state.sequencer : entry.record.body.device);
  assert(mine.id !== theirs.id, 'where logs part, entries differ');
  return mine.term === theirs.term && signer(mine) === signer(theirs)
    ? [envelopeOf(mine, signer(mine)), envelopeOf(theirs, signer(theirs))]
    : undefined;
}

function tipOf(value: unknown): Tip | undefined {
  const tip = (value ?? {}) as Partial<Tip>;
  const isNumber = (field: unknown): field is number => Number.isSafeInteger(field) && (field as number) >= -1;
  if (!isNumber(tip.finalized) || !isNumber(tip.term) || !isNumber(tip.index)) return undefined;
  return isNumber(tip.at?.index) && isHash(tip.at?.id) ? (tip as Tip) : undefined;
}
