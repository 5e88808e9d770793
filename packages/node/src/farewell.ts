/** Leaving: says goodbye, so that nobody waits, and sees to it that others have the end of the log. */
import type { DeviceId } from '@folkmoot/core';
import type { State } from '@folkmoot/protocol';
import { quorumOf } from '@folkmoot/records';
import type { Receipt } from './voice.ts';
import type { Workbench } from './workbench.ts';

/** A sequencer that is gone must not keep anybody from leaving. */
const GOODBYE_MS = 2000;
/** Longest stay for those who still read the log's end. */
const LINGER_MS = 3000;

/** Says it, as far as that is possible soon. */
export async function sayGoodbye(bench: Workbench, signal: AbortSignal): Promise<void> {
  await Promise.race([untilGone(bench, signal).catch(() => {}), bench.clock.sleep(GOODBYE_MS).catch(() => {})]);
}

async function untilGone(bench: Workbench, signal: AbortSignal): Promise<void> {
  const { key, clock, log } = bench;
  while (log.state.members[key.id]) {
    const receipt = await sayLeave(bench);
    if (receipt.accepted) return;
    // A round that ended meanwhile makes the record stale: say it again.
    await clock.sleep(100, signal);
  }
}

/**
 * Nobody counts on this device any more, unless it has had a say in how the round ends, or those who are here without it
 * could not end it: then it may still be wanted when it is back.
 */
export async function sayLeave({ key, log, voice, promises }: Workbench): Promise<Receipt> {
  const { state } = log;
  const { term } = state;
  const place = { round: state.round.number, base: state.base, term };
  const abstains = (promises.isAbstaining(state) || !isNeeded(state, key.id)) && (await promises.abstain(state));
  return voice.say('leave', { abstains }, place);
}

/** Whether the other electors that are here are no quorum of those who would be left. */
function isNeeded({ electors, members }: State, device: DeviceId): boolean {
  if (!electors.includes(device)) return false;
  const others = electors.filter((other) => other !== device);
  return others.filter((other) => members[other]!.ready).length < quorumOf(others.length);
}

/** The last entries go to all who follow, as far as they take them soon: there may be nobody else to get them from. */
export async function untilTaken(
  isTaken: () => boolean,
  { clock }: Pick<Workbench, 'clock'>,
  signal: AbortSignal,
): Promise<void> {
  const giveUpMs = clock.now() + LINGER_MS;
  while (!isTaken() && clock.now() < giveUpMs && !signal.aborted) await clock.sleep(50, signal).catch(() => {});
}
