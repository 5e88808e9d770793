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
import { continues } from '@folkmoot/protocol';
import { type Entry, MAX_ENTRY_BYTES, parseEntry } from '@folkmoot/records';
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
  try {
    while (!signal.aborted) {
      // The first empty message says: this is all there is so far.
      if (next > log.durable && !caughtUp) {
        caughtUp = true;
        yield new Uint8Array(0);
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

/** Keeps `log` up to date until `signal` aborts; trouble is told and tried again. */
export async function followLog(
  network: Network,
  log: Log,
  clock: Clock,
  notify: (notice: Notice) => void,
  onCaughtUp: () => void,
  signal: AbortSignal,
  guard: Guard,
): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt++) {
    const peer = choosePeer(network, log, attempt);
    try {
      if (peer !== undefined) await follow(network, log, peer, notify, onCaughtUp, signal, guard);
    } catch (error) {
      // An entry that is not on this disk is in this state all the same: only a new start brings them together.
      if (isWorldError(error, 'log-forked') || isWorldError(error, 'disk-full')) throw error;
      if (!signal.aborted) notify({ kind: 'trouble', error });
    }
    await clock.sleep(RETRY_MS, signal).catch(() => {});
  }
}

/** The sequencer where it is connected, else each peer in turn. */
function choosePeer(network: Network, log: Log, attempt: number): DeviceId | undefined {
  const peers = network.peers();
  const { sequencer } = log.state.charter;
  return peers.includes(sequencer) && attempt % 3 !== 2 ? sequencer : peers[attempt % Math.max(1, peers.length)];
}

async function follow(
  network: Network,
  log: Log,
  peer: DeviceId,
  notify: (notice: Notice) => void,
  onCaughtUp: () => void,
  signal: AbortSignal,
  guard: Guard,
): Promise<void> {
  const request = canonicalBytes({ run: log.state.run, from: log.length } as Canonical);
  const limits = { idleMs: IDLE_MS, maxMessageBytes: MAX_ENTRY_BYTES };
  for await (const message of network.open(peer, 'log', request, limits, signal)) {
    if (message.length === 0) onCaughtUp();
    // Two members that follow each other wait for ever, so nobody stays with a peer once the sequencer is back.
    if (peer !== log.state.charter.sequencer && network.peers().includes(log.state.charter.sequencer)) return;
    if (message.length === 0) continue;
    const entry = parseEntry(message, log.state.charter.sequencer);
    if (!entry.ok || entry.value.record.body.run !== log.state.run) guard.report(peer, 'false-entry');
    if (!entry.ok)
      throw new WorldError('peer-failed', `A peer sent a false log entry: ${entry.reason}.`, { facts: { peer } });
    if (entry.value.record.body.run !== log.state.run)
      throw new WorldError('peer-failed', 'A peer sent a log entry of another run.', { facts: { peer } });
    if (!continues(log.state, entry.value)) throw forkOrGap(log, entry.value, peer);
    await log.append(entry.value);
    watchForFork(log, entry.value, notify);
  }
}

/** Two entries that the sequencer signed at one index prove a fork: this member stops rather than choose. */
function forkOrGap(log: Log, entry: Entry, peer: DeviceId): WorldError {
  const mine = log.idAt(entry.index - 1);
  if (mine !== undefined && mine !== entry.prev)
    return new WorldError('log-forked', `The sequencer has signed two logs: they differ before entry ${entry.index}.`, {
      facts: { index: entry.index, mine, theirs: entry.prev, peer },
      help: 'This member stops here. Compare logs with the others and decide which one to follow.',
    });
  return new WorldError('peer-failed', 'A peer sent a log entry out of order.', {
    facts: { peer, index: entry.index },
  });
}

/** A record that names a head which this log does not have was signed on another branch. */
function watchForFork(log: Log, entry: Entry, notify: (notice: Notice) => void): void {
  const { seen, device } = entry.record.body;
  const mine = log.idAt(seen.index);
  if (mine !== undefined && mine !== seen.id)
    notify({ kind: 'fork-seen', device, index: seen.index, mine, theirs: seen.id });
}
