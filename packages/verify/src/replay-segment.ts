/** Re-execution: the same class that trained, from the state that was opened, over the rows that were assigned. */
import type { StateIds } from '@folkmoot/records';
import type { LocalRound, Segment, SegmentOutcome } from '@folkmoot/training';
import type { State } from './distance.ts';

export type Replayed =
  | { readonly ok: true; readonly ids: StateIds; readonly end: State; readonly losses: readonly number[] }
  /** Nothing comes out of this start and these rows: no honest trainer can have claimed an end. */
  | { readonly ok: false; readonly reason: string };

/**
 * Runs `segment` from `start` on the engine of `local`.
 *
 * `start`: finite, of the model's size (`readParams`, `readMoments` have checked it). Throws the signal's reason where
 * `signal` aborts between two steps.
 */
export async function replaySegment(
  local: LocalRound,
  start: State,
  segment: Segment,
  signal?: AbortSignal,
): Promise<Replayed> {
  await local.start(start.params, start.moments);
  return read(await local.runSegment(segment, signal));
}

function read(outcome: SegmentOutcome): Replayed {
  if (outcome.outcome === 'diverged')
    return { ok: false, reason: `${outcome.reason} It happens at step ${outcome.step + 1} of the segment.` };
  const { state, params, moments, losses } = outcome;
  return { ok: true, ids: state, end: { params, moments }, losses };
}
