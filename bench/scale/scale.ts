/**
 * What thousands of members cost: the reducer, the log on disk, and one simulated run of ten thousand through the
 * production sequencer. Each part (`--only reducer,log,population`) keeps its figures and draws its charts; `--report` only draws.
 */
import { type BenchOptions, type Figure, partsOf } from '../bench.ts';
import { type LogPoint, measureLog } from './log.ts';
import { drawCharts } from './plots.ts';
import { type Population, type PopulationRound, runPopulation } from './population.ts';
import { exponentOf, measureReducer, type ReducerPoint } from './reducer.ts';
import { keepResults, readResults } from './results.ts';

const SIZES = [100, 300, 1000, 3000, 10_000];
/** Seats that grow with the members, up to what a charter may name; and seats that stay. */
const SERIES: readonly { readonly name: string; readonly seatsOf: (members: number) => number }[] = [
  { name: 'trainers are 9 % of members', seatsOf: (members) => Math.round(0.09 * members) },
  { name: '90 trainers', seatsOf: () => 90 },
];
const LENGTHS = [10_000, 30_000, 100_000];
const POPULATION = { members: 10_000, seats: 64 };

const PARTS: Readonly<Record<string, (signal: AbortSignal) => AsyncIterable<Figure>>> = { reducer, log, population };

export async function* run(signal: AbortSignal, { only, report }: BenchOptions = {}): AsyncIterable<Figure> {
  if (report) return drawCharts(await readResults());
  for (const name of partsOf(only, Object.keys(PARTS))) {
    yield* PARTS[name]!(signal);
    await drawCharts(await readResults());
  }
}

async function* reducer(signal: AbortSignal): AsyncIterable<Figure> {
  const all: { series: string; points: ReducerPoint[] }[] = [];
  for (const { name, seatsOf } of SERIES) {
    const points: ReducerPoint[] = [];
    all.push({ series: name, points });
    for (const size of SIZES) {
      signal.throwIfAborted();
      points.push(measureReducer(size, seatsOf(size)));
      yield* reducerFigures(name, points.at(-1)!);
    }
    const slope = exponentOf(points.map(({ members, roundMs }) => [members, roundMs]));
    const note = '1 is linear, 2 quadratic';
    yield { name: `${name}: a round grows with members to the power of`, value: slope, unit: '', note };
  }
  await keepResults({ reducer: all });
}

function* reducerFigures(series: string, point: ReducerPoint): Iterable<Figure> {
  const name = `${point.members} members, ${series}`;
  const worst = `dearest round ${point.worstRoundMs?.toFixed(0)} ms, entry ${point.worstEntryMs?.toFixed(0)} ms`;
  const note = `${point.entries} entries, ${point.trainers} trainers; ${worst}`;
  yield { name: `${name}, a round`, value: point.roundMs, unit: 'ms of processor time', note };
  const json = `${point.jsonBytes.toFixed(0)} as JSON; ${point.standing} audits stand, term ${point.terms}`;
  yield { name: `${name}, memory`, value: point.heapBytes, unit: 'bytes per member', note: json };
}

async function* log(signal: AbortSignal): AsyncIterable<Figure> {
  const points: LogPoint[] = [];
  for await (const point of measureLog(LENGTHS, signal)) {
    points.push(point);
    const { entries, logBytes, besideBytes, start } = point;
    const name = `a log of ${entries} entries`;
    const note = `beside ${(logBytes / 1e6).toFixed(1)} MB of log`;
    yield { name: `${name}, states and keepsakes written`, value: besideBytes / 1e6, unit: 'MB', note };
    const held = `${(start.residentBytes / 1e6).toFixed(0)} MB; ${start.heldEntries} entries held`;
    yield { name: `${name}, a start`, value: start.cpuMs, unit: 'ms of processor time', note: held };
  }
  await keepResults({ log: points });
}

async function* population(signal: AbortSignal): AsyncIterable<Figure> {
  const running = runPopulation(POPULATION.members, POPULATION.seats, signal);
  const rounds: PopulationRound[] = [];
  for (;;) {
    const { done, value } = await running.next();
    if (done) {
      yield* populationFigures(value);
      return keepResults({ population: { rounds, outcome: value } });
    }
    rounds.push(value);
    // A run of thousands takes long: what is known by then is kept.
    if (value.round % 10 === 0) await keepResults({ population: { rounds } });
    const note = `${value.members} members, ${value.entries} entries`;
    if (value.round % 10 === 0)
      yield { name: `simulated run, round ${value.round}`, value: value.cpuSeconds, unit: 's of processor time', note };
  }
}

function* populationFigures(found: Population): Iterable<Figure> {
  const { members, entries, cpuSeconds, virtualHours, goodput, failures, overruns, agree, lateJoinerAt } = found;
  const name = `simulated run of ${members}`;
  const took = `${entries} entries, ${found.rounds.length} rounds, ${virtualHours.toFixed(1)} hours of virtual time`;
  yield { name, value: cpuSeconds, unit: 's of processor time', note: took };
  const failed = `${((100 * goodput.filled) / goodput.wanted).toFixed(1)} % in the base; ${failures} failures in all rounds`;
  yield { name: `${name}, goodput`, value: (100 * goodput.verified) / goodput.wanted, unit: '%', note: failed };
  const phases = `${found.endedWithout} ended without somebody; ${found.voids} void rounds`;
  yield { name: `${name}, phases that lasted too long`, value: overruns.length, unit: '', note: phases };
  const late = `one of them joined at ${lateJoinerAt} members`;
  yield { name: `${name}, full members hold the same bytes`, value: agree ? 1 : 0, unit: '(1 is yes)', note: late };
}
