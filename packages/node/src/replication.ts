/** Copies of the log: everybody serves theirs, everybody follows the sequencer's, or any peer's while it is away. */
import {
  type Canonical,
  type Clock,
  canonicalBytes,
  type DeviceId,
  isWorldError,
  type Network,
  WorldError,
} from '@folkmoot/core';
import { continues, readEntry } from '@folkmoot/protocol';
import { type Entry, MAX_ENTRY_BYTES, parseJson } from '@folkmoot/records';
import type { Branches } from './branches.ts';
import { requestJson } from './exchange.ts';
import type { Guard } from './guard.ts';
import type { Log } from './log.ts';
import type { Notice } from './notices.ts';

/** An empty message this often shows that the line stands. */
const HEARTBEAT_MS = 4000;
const IDLE_MS = 4 * HEARTBEAT_MS;
const RETRY_MS = 1000;

/** One that follows this log. */
interface Reader {
  /** Index of the last entry that it has taken. */
  taken: number;
}

/**
 * Serves entries from an index on, and then each new one. The function that it returns tells whether all who follow have
 * taken everything: whoever leaves without that leaves others behind without the end.
 */
export function serveLog(network: Network, log: Log, clock: Clock): () => boolean {
  const limits = { maxRequestBytes: 1024, maxConcurrentPerPeer: 4 };
  const readers = new Set<Reader>();
  network.serve('log', (_peer, request, signal) => stream(log, clock, request, readers, signal), limits);
  return () => [...readers].every(({ taken }) => taken >= log.durable);
}

async function* stream(
  log: Log,
  clock: Clock,
  request: Uint8Array,
  readers: Set<Reader>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const asked = logRequestIn(request);
  if (asked?.run !== log.state.run) return;
  let next = asked.from;
  // Woken by the log; what was appended meanwhile is read from it, so a slow reader holds no queue here.
  let wake = () => {};
  // Through `wake` too: a promise that lives as long as the stream would gather one reaction for every wait.
  signal.addEventListener('abort', () => wake(), { once: true });
  const unwatch = log.watch(() => wake());
  const reader: Reader = { taken: next - 1 };
  readers.add(reader);
  let caughtUp = false;
  let { turns } = log;
  try {
    while (!signal.aborted) {
      // Entries that this reader has were taken back: it must look where the logs part.
      if (turns !== log.turns && next > log.length) return;
      turns = log.turns;
      // The first empty message says: this is all there is so far.
      if (next > log.durable && !caughtUp) {
        caughtUp = true;
        yield new Uint8Array(0);
      }
      if (next < log.heldFrom) {
        for await (const bytes of log.bytesBefore(next)) {
          yield bytes;
          reader.taken = next++;
          if (signal.aborted) return;
        }
        continue;
      }
      if (next <= log.durable) {
        yield log.bytesAt(next);
        reader.taken = next++;
        continue;
      }
      const woken = new Promise<boolean>((resolve) => {
        wake = () => resolve(true);
      });
      const stop = new AbortController();
      const beat = clock.sleep(HEARTBEAT_MS, stop.signal).then(
        () => false,
        () => true,
      );
      if (next <= log.durable || signal.aborted) wake();
      if (!(await Promise.race([woken, beat]))) yield new Uint8Array(0);
      stop.abort();
    }
  } finally {
    unwatch();
    readers.delete(reader);
  }
}

/** From which entry somebody wants the log of which run; `undefined` where the bytes do not say. */
export function logRequestIn(request: Uint8Array): { run: string; from: number } | undefined {
  const { run, from } = (requestJson(request) ?? {}) as { run?: unknown; from?: unknown };
  if (typeof run !== 'string' || !Number.isSafeInteger(from) || (from as number) < 0) return undefined;
  return { run, from: from as number };
}

/** What following needs beside the log. */
export interface Following {
  readonly network: Network;
  readonly log: Log;
  readonly clock: Clock;
  readonly branches: Branches;
  readonly notify: (notice: Notice) => void;
  /** Whether this member orders the log itself at the moment. */
  readonly leads: () => boolean;
  readonly onCaughtUp: () => void;
  readonly guard: Guard;
}

/** Keeps the log up to date until `signal` aborts; trouble is told and tried again. */
export async function followLog(following: Following, signal: AbortSignal): Promise<void> {
  const { network, log, clock, branches, notify, leads } = following;
  for (let attempt = 0; !signal.aborted; attempt++) {
    const peer = leads() ? undefined : choosePeer(network, log, branches, attempt);
    try {
      if (peer !== undefined) await follow(following, peer, signal);
    } catch (error) {
      // An entry that is not on this disk is in this state all the same: only a new start brings them together.
      if (isWorldError(error, 'disk-full')) throw error;
      if (!signal.aborted) notify({ kind: 'trouble', error });
    }
    await clock.sleep(RETRY_MS, signal).catch(() => {});
  }
}

/** The sequencer where it is connected, or who is known to be ahead, else each peer in turn. */
function choosePeer(network: Network, log: Log, branches: Branches, attempt: number): DeviceId | undefined {
  const peers = network.peers();
  const { sequencer } = log.state;
  const { ahead } = branches;
  const likely = ahead?.isLater ? [ahead.peer, sequencer] : [sequencer, ahead?.peer];
  const found = likely.find((peer) => peer !== undefined && peers.includes(peer));
  return found !== undefined && attempt % 3 !== 2 ? found : peers[Math.floor(attempt / 3) % Math.max(1, peers.length)];
}

async function follow(following: Following, peer: DeviceId, outside: AbortSignal): Promise<void> {
  const { network, log, branches, notify, leads, onCaughtUp } = following;
  const { turns } = log;
  const done = new AbortController();
  const signal = AbortSignal.any([outside, done.signal]);
  const request = canonicalBytes({ run: log.state.run, from: log.length } as Canonical);
  const limits = { idleMs: IDLE_MS, maxMessageBytes: MAX_ENTRY_BYTES };
  try {
    for await (const message of network.open(peer, 'log', request, limits, signal)) {
      if (turns !== log.turns || leads()) return;
      if (message.length === 0) onCaughtUp();
      // Two members that follow each other wait for ever, so nobody stays with a peer once a better one is here.
      if (message.length === 0 && isWorse(network, log, branches, peer)) return;
      if (message.length === 0) continue;
      const json = parseJson(message, MAX_ENTRY_BYTES);
      const entry = json.ok ? readEntry(log.state, json.value) : json;
      // Where the peer's log is another, its end is compared as a whole. Whoever still holds one that was given up is at no fault.
      if (!entry.ok && ((await branches.compareWith(peer, signal)) || (await branches.isElsewhere(peer)))) return;
      if (!entry.ok) following.guard.report(peer, 'false-entry');
      if (!entry.ok)
        throw new WorldError('peer-failed', `A peer sent a log entry that is not the next one: ${entry.reason}.`, {
          facts: { peer, index: log.length },
        });
      if (!continues(log.state, entry.value)) return;
      await log.append(entry.value);
      void watchForFork(log, entry.value, notify);
      if (isWorse(network, log, branches, peer)) return;
    }
  } finally {
    done.abort();
  }
}

/** Whether another peer should be followed instead: the sequencer, or whoever has more of the log. */
function isWorse(network: Network, log: Log, { ahead }: Branches, peer: DeviceId): boolean {
  const { sequencer } = log.state;
  if (ahead?.isLater && network.peers().includes(ahead.peer)) return peer !== ahead.peer;
  if (peer === sequencer) return false;
  return network.peers().includes(sequencer) || (ahead !== undefined && ahead.peer !== peer);
}

/** A record that names a head which this log does not have was signed on another branch. */
async function watchForFork(log: Log, entry: Entry, notify: (notice: Notice) => void): Promise<void> {
  const { seen, device } = entry.record.body;
  const mine = log.idAt(seen.index) ?? (await log.idOf(seen.index).catch(() => undefined));
  if (mine !== undefined && mine !== seen.id)
    notify({ kind: 'fork-seen', device, index: seen.index, mine, theirs: seen.id });
}
