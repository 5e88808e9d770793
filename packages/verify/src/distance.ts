/**
 * How far a claimed state is from a recomputed one, relative to what the segment changed.
 *
 * Relative to the parameters themselves, a trainer who did nothing would be close: a segment moves them by a part in a
 * thousand. Relative to the change, doing nothing is a distance of exactly one.
 */
import type { ParameterLayout } from '@folkmoot/model';
import { type Moments, unpackBfloat16 } from '@folkmoot/training';

export const MILLION = 1_000_000;
/** Distances end here, a thousand times the change: as large as a verdict can say. */
export const MAX_DISTANCE_PPM = 1_000_000_000;

/** A state at a segment boundary, in memory. */
export interface State {
  readonly params: Float32Array;
  readonly moments: Moments;
}

export interface Distance {
  /** Parts per million of the change, rounded up; 0 for equal values only. */
  readonly distancePpm: number;
  /** The worst tensor: a parameter's name, or `m of` or `v of` one. Empty where nothing differs. */
  readonly tensor: string;
  /** The first tensor that differs at all: parameters in their order, then m, then v. */
  readonly first: string;
}

/** What a change is taken to be at least, as a root mean square; below it a difference is rounding. */
const FLOORS = {
  /** About one step of float32 at 1, where the norms' weights are. */
  params: 1e-7,
  m: 1e-12,
  v: 1e-24,
} as const;

/**
 * The distance of the worst tensor: over parameters and moments, ‖claimed − mine‖ / ‖mine − start‖.
 *
 * All three states finite, of `layout`. Sums run in order in double precision, so auditors with equal bits agree.
 */
export function stateDistance(layout: ParameterLayout, start: State, claimed: State, mine: State): Distance {
  const parts = [
    arenaDistance(layout, '', FLOORS.params, start.params, claimed.params, mine.params),
    ...(['m', 'v'] as const).map((name) =>
      arenaDistance(
        name === 'm' ? layout : lastOf(layout, mine.moments.v.length),
        `${name} of `,
        FLOORS[name],
        unpackBfloat16(start.moments[name]),
        unpackBfloat16(claimed.moments[name]),
        unpackBfloat16(mine.moments[name]),
      ),
    ),
  ];
  const worst = parts.reduce((most, part) => (part.distancePpm > most.distancePpm ? part : most));
  return { ...worst, first: parts.find((part) => part.first !== '')?.first ?? '' };
}

/** The same over one arena; `prefix` goes before the tensor's name. */
export function arenaDistance(
  layout: Pick<ParameterLayout, 'tensors'>,
  prefix: string,
  floor: number,
  start: Float32Array,
  claimed: Float32Array,
  mine: Float32Array,
): Distance {
  let worst = { distancePpm: 0, tensor: '' };
  let first = '';
  for (const { name, offset, elements } of layout.tensors) {
    let apart = 0;
    let change = 0;
    for (let i = offset; i < offset + elements; i++) {
      apart += (claimed[i] - mine[i]) * (claimed[i] - mine[i]);
      change += (mine[i] - start[i]) * (mine[i] - start[i]);
    }
    const least = floor * floor * elements;
    const ratio = Math.sqrt(apart) / Math.sqrt(Math.max(change, least));
    const distancePpm = Math.min(MAX_DISTANCE_PPM, Math.ceil(ratio * MILLION));
    if (distancePpm > 0) first ||= prefix + name;
    if (distancePpm > worst.distancePpm) worst = { distancePpm, tensor: prefix + name };
  }
  return { ...worst, first };
}

/** The tensors in the arena's last `elements`, as a layout of their own: what has second moments. */
function lastOf(layout: ParameterLayout, elements: number): Pick<ParameterLayout, 'tensors'> {
  const first = layout.elements - elements;
  const tensors = layout.tensors.filter(({ offset }) => offset >= first);
  return { tensors: tensors.map((tensor) => ({ ...tensor, offset: tensor.offset - first })) };
}
