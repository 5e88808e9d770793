/** From the disk into the run: a copy of the log that is as long as the others', and a place in it. */
import {
  type Cells,
  type Clock,
  type DeviceId,
  type DeviceKey,
  fromUtf8,
  type Network,
  WorldError,
} from '@folkmoot/core';
import type { Said } from '@folkmoot/records';
import type { Branches } from './branches.ts';
import type { Guard } from './guard.ts';
import { throwIfShutOut } from './joining.ts';
import type { Log } from './log.ts';
import type { Notice } from './notices.ts';
import type { Peers } from './peers.ts';
import { followLog } from './replication.ts';
import type { Sequencer } from './sequencer.ts';
import { mustAccept } from './voice.ts';
import type { Workbench } from './workbench.ts';

/** How long a sequencer that starts again waits for what the others know. */
const ASK_MS = 3000;
const POLL_MS = 50;
/** And how long it reads that. */
const READ_MS = 15_000;

/** A member that once found the witnesses' base wrong does not take it for granted after a restart. */
export async function checkDesync(cells: Cells): Promise<void> {
  const kept = await cells.read('desync');
  if (!kept) return;
  throw new WorldError('desync', `This member stopped because a base came out differently here: ${fromUtf8(kept)}`, {
    help: 'Check the round with `folkmoot replay`. If this machine was wrong, remove the file cells/desync in the run’s folder and start again.',
  });
}

export interface CatchUp {
  readonly network: Network;
  readonly log: Log;
  readonly clock: Clock;
  readonly key: DeviceKey;
  readonly branches: Branches;
  readonly peers: Peers;
  readonly sequencer: Sequencer;
  readonly guard: Guard;
  readonly notify: (notice: Notice) => void;
  /** Takes what goes on for as long as the member does. */
  readonly background: (running: Promise<unknown>) => void;
  /** Ends the waiting. */
  readonly giveUp: AbortSignal | undefined;
}

/** Resolves when this log is as long as that of a peer, or when nobody knows better than the one who orders it. */
export async function catchUp(parts: CatchUp, signal: AbortSignal): Promise<void> {
  const { network, log, clock, key, branches, sequencer, guard, notify, background, giveUp } = parts;
  if (log.state.sequencer === key.id) await askEverybody(parts, signal);
  if (log.state.sequencer === key.id) sequencer.begin();
  await new Promise<void>((resolve, reject) => {
    const give = () => reject(giveUp!.reason);
    if (giveUp?.aborted) give();
    giveUp?.addEventListener('abort', give, { once: true });
    const leads = () => sequencer.leads;
    if (leads()) resolve();
    background(followLog({ network, log, clock, branches, notify, leads, guard, onCaughtUp: resolve }, signal));
    background(branches.run(signal));
  });
  sequencer.begin();
}

/**
 * Whoever held the term before it stopped may have lost it meanwhile; or its disk has lost the end of the log, to which it must
 * not sign another. Those who were here before know, and are only being dialled. One that says that it knows more, and is
 * slow to show it, is not waited for for ever.
 */
async function askEverybody({ network, clock, branches, peers }: CatchUp, signal: AbortSignal): Promise<void> {
  const late = new AbortController();
  const asking = AbortSignal.any([signal, late.signal]);
  const asked = new Set<DeviceId>();
  const reading: Promise<unknown>[] = [];
  let answers = 0;
  const ask = async (peer: DeviceId) => {
    await branches.look(peer, asking).catch(() => {});
    if (branches.ahead?.peer === peer) reading.push(branches.readOn(peer, asking).catch(() => {}));
    answers++;
  };
  for (const untilMs = clock.now() + ASK_MS; clock.now() < untilMs && !signal.aborted; ) {
    for (const peer of network.peers()) {
      if (!asked.has(peer)) void ask(peer);
      asked.add(peer);
    }
    if (answers >= peers.expected && answers === asked.size) break;
    await clock.sleep(POLL_MS, signal).catch(() => {});
  }
  await Promise.race([Promise.all(reading), clock.sleep(READ_MS, asking).catch(() => {})]);
  late.abort();
}

/** Joins where the log does not know this device. A round that ends meanwhile makes the record stale: say it again. */
export async function join(bench: Workbench, request: Said<'join'>, signal: AbortSignal): Promise<void> {
  const { key, clock, charter, log, voice } = bench;
  // Long enough for electors to find another who orders the log.
  const most = 20 + Math.ceil((4 * charter.succession.silenceMs) / 1000);
  for (let attempt = 0; !log.state.members[key.id]; attempt++) {
    const receipt = await voice.say('join', request).catch((error) => {
      if (attempt >= most) throw error;
      return undefined;
    });
    if (receipt && !receipt.accepted) throwIfShutOut(receipt.reason, request);
    if (receipt && !receipt.accepted && attempt >= most) mustAccept(receipt, 'request to join');
    for (let wait = 0; wait < 10 && !log.state.members[key.id]; wait++) await clock.sleep(100, signal);
  }
}
