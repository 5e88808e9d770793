/**
 * How far a phase is: from whom something is wanted, and who has done it.
 *
 * Counted once when a phase begins; after that each record changes what its own device counts for. Looking at every seat
 * after every entry would make a round of n trainers cost n² steps.
 */
import type { DeviceId } from '@folkmoot/core';
import { isRelieved } from './seat-rivals.ts';
import type { Phase, Seat, State } from './state.ts';

type Tally = State['round']['tally'];

const NOTHING: Tally = { expected: 0, delivered: 0 };

/** What `device` counts for in the phase at hand: each field is 0 or 1. */
export function shareOf(state: State, device: DeviceId): Tally {
  const { round } = state;
  switch (round.phase) {
    case 'train':
    case 'reveal': {
      const seat = round.seats[device];
      if (!seat || !isAwaited(state, device, seat)) return NOTHING;
      return { expected: 1, delivered: hasDelivered(round.phase, seat) ? 1 : 0 };
    }
    case 'witness': {
      const delivered = round.attested[device] ? 1 : 0;
      const counts = round.witnesses.includes(device) && (delivered === 1 || state.members[device]!.ready);
      return counts ? { expected: 1, delivered } : NOTHING;
    }
    default:
      return NOTHING;
  }
}

/** The sum of all shares. */
export function countAll(state: State): Tally {
  const { phase, seats, witnesses } = state.round;
  const sum = { ...NOTHING };
  for (const device of phase === 'witness' ? witnesses : Object.keys(seats)) {
    const { expected, delivered } = shareOf(state, device);
    sum.expected += expected;
    sum.delivered += delivered;
  }
  return sum;
}

/** Does `change`, which concerns nobody's share but the device's, and corrects the tally by the difference. */
export function recounting(state: State, device: DeviceId, change: () => void): void {
  recountingAll(state, [device], change);
}

/** The same for a change that concerns the shares of several. */
export function recountingAll(state: State, devices: readonly DeviceId[], change: () => void): void {
  const { tally } = state.round;
  for (const device of devices) {
    const { expected, delivered } = shareOf(state, device);
    tally.expected -= expected;
    tally.delivered -= delivered;
  }
  change();
  for (const device of devices) {
    const { expected, delivered } = shareOf(state, device);
    tally.expected += expected;
    tally.delivered += delivered;
  }
}

/** Whether the phase waits for the trainer: one that has gone away delivers nothing more, but what it delivered counts. */
export function isAwaited(state: State, device: DeviceId, seat: Seat): boolean {
  if (state.round.phase === 'reveal')
    return seat.commit !== null && (state.members[device]!.ready || seat.update !== null);
  return seat.commit !== null || (state.members[device]!.ready && !isRelieved(state.round, device));
}

/** Whether the trainer has done what the phase wants. */
export function hasDelivered(phase: Phase, seat: Seat): boolean {
  return phase === 'train' ? seat.commit !== null : seat.update !== null;
}
