/** What an auditor says of a re-executed segment and of the encoding. */
import type { StateIds } from '@folkmoot/records';
import type { Distance } from './distance.ts';

/** `within`: other bits, as another kind of processor gives, inside the charter's tolerance. */
export interface Verdict extends Distance {
  readonly outcome: 'match' | 'within' | 'mismatch';
  /** Where a mismatch lies. */
  readonly part: 'segment' | 'encode';
}

export interface Findings {
  /** The end of the segment as the trainer has closed it, and as it came out here. */
  readonly claimed: StateIds;
  readonly mine: StateIds;
  /** 0 where the engine class is exact: other bits are a mismatch then, however near. */
  readonly tolerancePpm: number;
  /** How far apart the ends are; asked for only where their ids differ. */
  readonly distance: () => Promise<Distance>;
  /** Whether encoding the claimed last state gives the update and the error memory; asked for only where the segment stands. */
  readonly encodes: () => Promise<boolean>;
}

const NO_DISTANCE: Distance = { distancePpm: 0, tensor: '', first: '' };

/** Judges in the cheapest order: ids, distance, encoding. Throws what `distance` and `encodes` throw. */
export async function judge({ claimed, mine, tolerancePpm, distance, encodes }: Findings): Promise<Verdict> {
  const equal = claimed.params === mine.params && claimed.moments === mine.moments;
  const far = equal ? NO_DISTANCE : await distance();
  // Zeros of both signs are other bits at no distance; to the log that is the smallest distance.
  const distancePpm = equal ? 0 : Math.max(1, far.distancePpm);
  if (distancePpm > tolerancePpm) return { ...far, outcome: 'mismatch', part: 'segment', distancePpm };
  // Encoding is integer work over the trainer's own states: it has no tolerance on any engine.
  if (!(await encodes())) return { ...NO_DISTANCE, outcome: 'mismatch', part: 'encode' };
  return { ...far, outcome: equal ? 'match' : 'within', part: 'segment', distancePpm };
}
