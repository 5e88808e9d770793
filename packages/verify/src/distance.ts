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

/** A state between two steps has moments in float32, which are not rounded yet. */
export interface StepState {
  readonly params: Float32Array;
  readonly moments: { readonly m: Float32Array; readonly v: Float32Array };
}

/** The distance in one tensor. */
export interface TensorDistance {
  /** A parameter's name, or `m of` or `v of` one. */
  readonly tensor: string;
  /** ‖claimed − mine‖ / ‖mine − start‖. */
  readonly ratio: number;
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
 * Of a rounded moment only what goes beyond one step of bfloat16 counts: the smallest difference before rounding can make
 * a whole step, 0.8 % of the moment, and in a small tensor one such moment is most of all change. What that lets through
 * is bounded by the parameters, which have to fit.
 *
 * All three states finite, of `layout`. Sums run in order in double precision, so auditors with equal bits agree.
 */
export function stateDistance(layout: ParameterLayout, start: State, claimed: State, mine: State): Distance {
  return worstOf(tensorDistances(layout, start, claimed, mine));
}

/** The distance of every tensor: parameters in their order, then m, then v. Between steps nothing is rounded. */
export function tensorDistances<S extends State | StepState>(
  layout: ParameterLayout,
  start: State | StepState,
  claimed: S,
  mine: S,
): TensorDistance[] {
  const moments = (['m', 'v'] as const).flatMap((name) => {
    const part = name === 'm' ? layout : lastOf(layout, mine.moments.v.length);
    const floor = FLOORS[name];
    const [theirs, own] = [claimed.moments[name], mine.moments[name]];
    const near = theirs instanceof Uint16Array && own instanceof Uint16Array ? towards(theirs, own) : own;
    return arenaDistances(part, `${name} of `, floor, unpacked(start.moments[name]), {
      claimed: unpacked(theirs),
      near: unpacked(near),
      mine: unpacked(own),
    });
  });
  const { params } = mine;
  const arenas = { claimed: claimed.params, near: params, mine: params };
  return [...arenaDistances(layout, '', FLOORS.params, start.params, arenas), ...moments];
}

/** What a verdict says of `distances`, which are in order. */
export function worstOf(distances: readonly TensorDistance[]): Distance {
  const ppm = ({ ratio }: TensorDistance) => Math.min(MAX_DISTANCE_PPM, Math.ceil(ratio * MILLION));
  const worst = distances.reduce((most, distance) => (ppm(distance) > ppm(most) ? distance : most));
  const first = distances.find((distance) => ppm(distance) > 0);
  return { distancePpm: ppm(worst), tensor: first === undefined ? '' : worst.tensor, first: first?.tensor ?? '' };
}

/** The same over one arena; `prefix` goes before the tensor's name. `near` is what is as good as `mine`. */
export function arenaDistances(
  layout: Pick<ParameterLayout, 'tensors'>,
  prefix: string,
  floor: number,
  start: Float32Array,
  { claimed, near, mine }: { claimed: Float32Array; near: Float32Array; mine: Float32Array },
): TensorDistance[] {
  return layout.tensors.map(({ name, offset, elements }) => {
    let apart = 0;
    let change = 0;
    for (let i = offset; i < offset + elements; i++) {
      apart += (claimed[i] - near[i]) * (claimed[i] - near[i]);
      change += (mine[i] - start[i]) * (mine[i] - start[i]);
    }
    const least = floor * floor * elements;
    return { tensor: prefix + name, ratio: Math.sqrt(apart) / Math.sqrt(Math.max(change, least)) };
  });
}

/** Every bfloat16 of `mine`, moved towards `claimed` by one step where it is another. */
export function towards(claimed: Uint16Array, mine: Uint16Array): Uint16Array {
  return mine.map((own, i) => {
    const [from, to] = [order(own), order(claimed[i])];
    const moved = from + Math.sign(to - from);
    return moved < 0 ? 0x8000 - moved : moved;
  });
}

/** The place of a bfloat16 among all: neighbours are one apart, both zeros are 0. */
function order(half: number): number {
  return half & 0x8000 ? 0x8000 - half : half;
}

/** ‖claimed − mine‖ / ‖mine‖ of two arrays of one size; 0 where they are equal, also where `mine` is zero. */
export function relativeDistance(claimed: Float32Array, mine: Float32Array): number {
  let apart = 0;
  let size = 0;
  for (let i = 0; i < mine.length; i++) {
    apart += (claimed[i]! - mine[i]!) ** 2;
    size += mine[i]! ** 2;
  }
  return apart === 0 ? 0 : Math.sqrt(apart) / Math.sqrt(size);
}

function unpacked(moments: Uint16Array | Float32Array): Float32Array {
  return moments instanceof Float32Array ? moments : unpackBfloat16(moments);
}

/** The tensors in the arena's last `elements`, as a layout of their own: what has second moments. */
function lastOf(layout: ParameterLayout, elements: number): Pick<ParameterLayout, 'tensors'> {
  const first = layout.elements - elements;
  const tensors = layout.tensors.filter(({ offset }) => offset >= first);
  return { tensors: tensors.map((tensor) => ({ ...tensor, offset: tensor.offset - first })) };
}
