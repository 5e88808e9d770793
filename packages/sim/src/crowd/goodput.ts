/** Goodput: segments that were verified, over those that perfect members would have delivered. */
import type { Event } from '@folkmoot/protocol';

export interface Goodput {
  /** Segments in the base: those of the included updates. */
  readonly filled: number;
  /** Segments that were credited, to whoever worked them; no seat counted for more than a whole round. */
  readonly verified: number;
  /** Segments that perfect members would have delivered. */
  readonly wanted: number;
}

/** Of the rounds from `from` to `to`, whose settlements are among `events`; seats are told apart by who held them first. */
export function goodputOf(events: Iterable<Event>, segments: number, from: number, to: number): Goodput {
  const bySeat = new Map<string, number>();
  const first = new Map<string, string>();
  /** Segments that were left of the seat, by stand-in. */
  const left = new Map<string, number>();
  const isCounted = (round: number) => round >= from && round <= to;
  let filled = 0;
  let wanted = 0;
  for (const event of events) {
    if (event.kind === 'assigned' && isCounted(event.round)) wanted += event.trainers.length * segments;
    if (event.kind === 'included' && isCounted(event.round))
      for (const device of event.trainers) filled += left.get(`${event.round} ${device}`) ?? segments;
    if (event.kind === 'handed-over') {
      const origin = first.get(`${event.round} ${event.trainer}`) ?? event.trainer;
      first.set(`${event.round} ${event.standIn}`, origin);
      left.set(`${event.round} ${event.standIn}`, segments - event.skip);
    }
    if (event.kind !== 'settled' || !isCounted(event.settlement.round)) continue;
    const { round, device, segments: earned } = event.settlement;
    const seat = `${round} ${first.get(`${round} ${device}`) ?? device}`;
    bySeat.set(seat, Math.min(segments, (bySeat.get(seat) ?? 0) + earned));
  }
  const verified = [...bySeat.values()].reduce((sum, earned) => sum + earned, 0);
  return { filled, verified, wanted };
}
