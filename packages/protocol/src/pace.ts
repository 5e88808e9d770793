/**
 * How long phases take here, from the log alone: what deadlines adapt to.
 *
 * Of each phase the last few times until most had delivered are kept; their median says what is usual, so that one slow
 * or one quick round moves nothing. The charter's durations are the bounds.
 */
import type { Phase, State } from './state.ts';

export type TimedPhase = Exclude<Phase, 'open' | 'seal'>;

/** By phase, milliseconds until more than half had delivered, the newest last. */
export type Pace = Record<TimedPhase, number[]>;

/** An odd number: the median is one of them. */
const REMEMBERED = 9;

/** Nobody waits for what takes so many times as long as usual. */
const PATIENCE = 4;

export function emptyPace(): Pace {
  return { train: [], reveal: [], witness: [], finalize: [] };
}

/** Notes that most have delivered `tookMs` after the phase began. */
export function observePace(state: State, phase: TimedPhase, tookMs: number): void {
  state.pace[phase] = [...state.pace[phase], tookMs].slice(-REMEMBERED);
}

/** After a round that came to nothing, what was usual no longer is: the charter's durations hold again. */
export function forgetPace(state: State): void {
  state.pace = emptyPace();
}

/** The usual time until most have delivered; 0 where none is known. */
export function usualMs(state: State, phase: TimedPhase): number {
  const sorted = [...state.pace[phase]].sort((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1] ?? 0;
}

/** The longest that a phase lasts: four times the usual, not below ten times the grace, never beyond the charter. */
export function limitMs(state: State, phase: TimedPhase): number {
  const { timing } = state.charter;
  const most = timing[`${phase}Ms`];
  if (state.pace[phase].length === 0) return most;
  return Math.min(most, Math.max(10 * timing.graceMs, PATIENCE * usualMs(state, phase)));
}

/** What the rest gets once most have delivered after `tookMs`: the grace, or half of that time. */
export function graceAfter(state: State, tookMs: number): number {
  return Math.max(state.charter.timing.graceMs, Math.floor(tookMs / 2));
}
