/** I3: every phase ends in its time, whoever is silent; and at once when all have delivered. */
import type { DeviceId } from '@folkmoot/core';
import type { Checker, Finding, Look, Truth } from './checker.ts';
import { Roster } from './roster.ts';

const MAX_DRAW = 2;

export function phases({ charter }: Truth): Checker {
  const { timing, committee } = charter;
  const roster = new Roster();
  let place = '';
  let beganMs = 0;
  let phase = 'open';
  let majorityMs: number | undefined;
  let enoughMs: number | undefined;
  const delivered = new Set<DeviceId>();

  /** Longest time of a phase. Deadlines adapt to the run's pace below it. */
  function limitMs(): number {
    if (phase === 'reveal') return timing.revealMs;
    if (phase === 'witness') return timing.witnessMs;
    // Only its electors can end a round that is being signed: where they are away, it waits for them.
    return phase === 'finalize' || phase === 'seal' ? Number.POSITIVE_INFINITY : timing.trainMs;
  }

  function entered(look: Look): void {
    const { round } = look.state;
    const now = `${round.number} ${round.phase} ${round.draw} ${round.phaseAtMs}`;
    if (now === place) return;
    place = now;
    phase = round.phase;
    beganMs = look.entry.atMs;
    majorityMs = undefined;
    enoughMs = undefined;
    delivered.clear();
  }

  function deliver({ state, entry, events }: Look): void {
    const wanted = phase === 'train' ? 'committed' : 'revealed';
    for (const event of events)
      if (event.kind === wanted && event.round === state.round.number) delivered.add(event.device);
    const seats = Object.keys(state.round.seats).length;
    if (majorityMs === undefined && 2 * delivered.size > seats) majorityMs = entry.atMs;
  }

  function opening({ entry, state }: Look): Finding {
    const accounts = new Set(roster.ready().map((device) => roster.members.get(device)!.account));
    const here = roster.seniors.filter((device) => roster.members.get(device)!.ready).length;
    const lags = [...roster.audits.keys()].some((key) => Number(key.split(' ')[0]) < state.round.number - 2);
    const isEnough = accounts.size >= committee.minMembers && (roster.seniors.length < 2 || here >= 2) && !lags;
    if (!isEnough) {
      enoughMs = undefined;
      return undefined;
    }
    enoughMs ??= entry.atMs;
    const waitMs = state.round.number === 1 ? timing.openMs : 0;
    const lateMs = entry.atMs - enoughMs;
    // The entry at which there are enough begins the wait; the one at which it is over ends the phase.
    return state.round.number > 1 || lateMs >= waitMs
      ? `round ${state.round.number} is still open ${lateMs} ms after ${accounts.size} were ready`
      : undefined;
  }

  function overdue({ entry, state }: Look): Finding {
    const lastedMs = entry.atMs - beganMs;
    if (state.round.draw > MAX_DRAW)
      return `round ${state.round.number} draws witnesses for the ${state.round.draw + 1}th time`;
    if (lastedMs >= limitMs())
      return `${phase} of round ${state.round.number} has lasted ${lastedMs} ms of ${limitMs()}`;
    if (phase !== 'train' && phase !== 'reveal') return undefined;
    const seats = Object.keys(state.round.seats);
    const isAll = phase === 'train' && seats.every((device) => delivered.has(device));
    if (isAll) return `all ${seats.length} have delivered and ${phase} of round ${state.round.number} goes on`;
    if (majorityMs === undefined) return undefined;
    const graceMs = Math.max(timing.graceMs, Math.floor((majorityMs - beganMs) / 2));
    return entry.atMs >= majorityMs + graceMs
      ? `${phase} of round ${state.round.number} goes on ${entry.atMs - majorityMs} ms after most have delivered`
      : undefined;
  }

  return {
    invariant: 'I3',
    claim: 'each phase ends under any silent peer',
    after(look) {
      for (const event of look.events) roster.take(event);
      if (look.accepted) roster.heard(look.body);
      entered(look);
      deliver(look);
      return phase === 'open' ? opening(look) : overdue(look);
    },
  };
}
