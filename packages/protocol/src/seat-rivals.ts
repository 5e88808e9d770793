/** Several devices may work on the rows of one seat: its trainer, and who stands in for it. The first commit counts. */
import type { DeviceId } from '@folkmoot/core';
import type { Evidence, Outcome } from '@folkmoot/ledger';
import type { Round } from './state.ts';

/** The others that work on the same rows: for whom the device stands in, and who stands in for it. */
export function rivalsOf({ standsFor, lapses }: Round, device: DeviceId): DeviceId[] {
  const rivals: DeviceId[] = [];
  for (let at = standsFor[device]; at !== undefined; at = standsFor[at]) rivals.push(at);
  for (let at = lapses[device]?.standIn; at; at = lapses[at]?.standIn) rivals.push(at);
  return rivals;
}

/** Whether another has delivered the rows of the device's seat. */
export function isForestalled(round: Round, device: DeviceId): boolean {
  return rivalsOf(round, device).some((rival) => round.seats[rival]!.commit !== null);
}

/** Whether nobody waits for the device any more: another has its rows, in hand or delivered. */
export function isRelieved(round: Round, device: DeviceId): boolean {
  return Boolean(round.lapses[device]?.standIn) || isForestalled(round, device);
}

/** The fate of a seat's holder without a commit. */
export function missedOutcome(round: Round, device: DeviceId): Outcome {
  // Who lapsed is told so, even where it was itself a stand-in.
  if (round.lapses[device]?.entry != null) return 'lapsed';
  return isForestalled(round, device) ? 'spare' : 'late';
}

/** Since when nobody waited for the device, and who took over. */
export function lapseEvidence(round: Round, device: DeviceId): Pick<Evidence, 'standIn' | 'entry'> {
  const { standIn, entry } = round.lapses[device] ?? {};
  return entry == null ? {} : { standIn: standIn ?? null, entry };
}
