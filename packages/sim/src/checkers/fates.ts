/** I1: every seat of a round has exactly one fate, no later than two rounds after it. */
import type { DeviceId } from '@folkmoot/core';
import type { Event } from '@folkmoot/protocol';
import { type Checker, type Finding, first, type Look, short } from './checker.ts';

/** A round more than this behind the one that begins must be settled. */
const ROUNDS_BEHIND = 2;

export function fates(): Checker {
  /** Seats without a fate, by round, and what is still to come of them. */
  const open = new Map<number, Map<DeviceId, 'round' | 'audit' | 'reproduction'>>();
  const ended = new Set<number>();

  function take(event: Event, { state }: Look): Finding {
    switch (event.kind) {
      case 'assigned': {
        if (state.round.number === event.round && state.round.phase === 'train') {
          const seats = event.trainers.map((device) => state.round.seats[device]?.seat).sort((a, b) => a! - b!);
          if (seats.some((seat, i) => seat !== i)) return `round ${event.round} has seats ${seats.join()}`;
        }
        const late = [...open].find(([round, left]) => round < event.round - ROUNDS_BEHIND && isLate(left));
        if (late) return `round ${event.round} begins and ${late[1].size} seats of round ${late[0]} have no fate`;
        if (new Set(event.trainers).size !== event.trainers.length)
          return `two seats of round ${event.round} are one’s`;
        open.set(event.round, new Map(event.trainers.map((device) => [device, 'round'])));
        return undefined;
      }
      case 'audit-drawn': {
        const seats = open.get(event.round);
        if (!seats?.has(event.trainer))
          return `an audit of ${short(event.trainer)} in round ${event.round} audits no open seat`;
        seats.set(event.trainer, 'audit');
        return undefined;
      }
      case 'handed-over':
        open.get(event.round)?.set(event.standIn, 'round');
        return undefined;
      case 'settled': {
        const { round, device, outcome } = event.settlement;
        return open.get(round)?.delete(device)
          ? undefined
          : `${short(device)} ends round ${round} ${outcome} without a seat, or a second time`;
      }
      case 'finalized':
      case 'void':
        ended.add(event.round);
    }
    return undefined;
  }

  // What a vanished trainer had leased is re-executed at leisure.
  const isLate = (seats: ReadonlyMap<DeviceId, string>) => [...seats.values()].some((next) => next !== 'reproduction');

  /** When a round has ended, whoever has no fate is being audited. */
  function complete({ state }: Look): Finding {
    return first(ended, (round) => {
      ended.delete(round);
      const seats = open.get(round) ?? new Map();
      for (const device of seats.keys())
        if (state.reproductions[`reproduction ${round}:${device}`]) seats.set(device, 'reproduction');
      const left = [...seats].find(([, next]) => next === 'round');
      return left && `${short(left[0])} has no fate, and no audit, when round ${round} has ended`;
    });
  }

  return {
    invariant: 'I1',
    claim: 'every assigned seat reaches exactly one fate',
    after: (look) => first(look.events, (event) => take(event, look)) ?? complete(look),
  };
}
