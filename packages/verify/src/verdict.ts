/** What an auditor says of a segment and of an encoding. */
import type { StateIds } from '@folkmoot/records';
import type { Distance } from './distance.ts';

export type Verdict =
  /** Equal bits. */
  | { readonly outcome: 'match' }
  /** Other bits, as another kind of processor gives, inside the charter's tolerance. */
  | ({ readonly outcome: 'within' } & Distance)
  | ({ readonly outcome: 'mismatch'; readonly part: 'segment' | 'encode' } & Distance);

/**
 * Judges a re-executed segment.
 *
 * `distance` is that of the opened end; it is asked for only where the ids differ. `tolerancePpm` 0 means that the engine
 * class is exact: other bits are a mismatch however near.
 */
export function judgeSegment(
  claimed: StateIds,
  mine: StateIds,
  tolerancePpm: number,
  distance: () => Distance,
): Verdict {
  if (claimed.params === mine.params && claimed.moments === mine.moments) return { outcome: 'match' };
  const far = distance();
  return far.distancePpm <= tolerancePpm && tolerancePpm > 0
    ? { outcome: 'within', ...far }
    : { outcome: 'mismatch', part: 'segment', ...far };
}

/** Judges an encoding, which has no tolerance. */
export function judgeEncode(holds: boolean): Verdict {
  return holds ? { outcome: 'match' } : { outcome: 'mismatch', part: 'encode', distancePpm: 0, tensor: '', first: '' };
}

/** The worse of two verdicts, the first where they are equally bad. */
export function worse(a: Verdict, b: Verdict): Verdict {
  const badness = { match: 0, within: 1, mismatch: 2 };
  return badness[b.outcome] > badness[a.outcome] ? b : a;
}
