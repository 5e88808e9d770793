/** What thousands of members cost: the reducer, the log on disk, and a simulated run through the production sequencer. */
import type { Figure } from '../bench.ts';
import { exponentOf, measureReducer, type ReducerPoint } from './reducer.ts';

const SIZES = [100, 300, 1000, 3000, 10_000];
/** Seats that grow with the members, up to what a charter may name; and seats that stay. */
const SERIES: readonly { readonly name: string; readonly seatsOf: (members: number) => number }[] = [
  { name: 'trainers are 9 % of members', seatsOf: (members) => Math.round(0.09 * members) },
  { name: '90 trainers', seatsOf: () => 90 },
];

export async function* run(signal: AbortSignal): AsyncIterable<Figure> {
  for (const { name, seatsOf } of SERIES) {
    const points: ReducerPoint[] = [];
    for (const size of SIZES) {
      signal.throwIfAborted();
      points.push(measureReducer(size, seatsOf(size)));
      yield* figuresOf(name, points.at(-1)!);
    }
    const slope = exponentOf(points.map(({ members, roundMs }) => [members, roundMs]));
    yield { name: `${name}: a round grows with members to the power of`, value: slope, unit: '', note: LINEAR };
  }
}

const LINEAR = '1 is linear, 2 quadratic';

function* figuresOf(series: string, point: ReducerPoint): Iterable<Figure> {
  const name = `${point.members} members, ${series}`;
  const note = `${point.entries} entries, ${point.trainers} trainers; dearest round ${point.worstRoundMs.toFixed(0)} ms, entry ${point.worstEntryMs.toFixed(0)} ms`;
  yield { name: `${name}, a round`, value: point.roundMs, unit: 'ms of processor time', note };
  const json = `${point.jsonBytes.toFixed(0)} as JSON; ${point.standing} audits stand, term ${point.terms}`;
  yield { name: `${name}, memory`, value: point.heapBytes, unit: 'bytes per member', note: json };
}
