/** The charts of scale.md. */
import type { TopLevelSpec } from 'vega-lite';
import { CHART, chart } from '../chart.ts';
import type { LogPoint } from './log.ts';
import { type GoodputPoint, keepChart, type Results } from './results.ts';

type Series = NonNullable<Results['reducer']>;

/** Draws what there are figures of. */
export async function drawCharts({ reducer, log, population, goodput }: Results): Promise<void> {
  if (reducer) await keepChart('round', await chart(roundChart(reducer)));
  if (reducer) await keepChart('memory', await chart(memoryChart(reducer)));
  if (log) await keepChart('log', await chart(logChart(log)));
  if (population) await keepChart('population', await chart(populationChart(population)));
  if (goodput) await keepChart('goodput', await chart(goodputChart(goodput)));
}

const members = { field: 'members', type: 'quantitative', scale: { type: 'log' }, title: 'members' } as const;

/** Beside n log n through the last point of the first series. */
function roundChart(reducer: Series): TopLevelSpec {
  const points = reducer.flatMap(({ series, points }) =>
    points.map((point) => ({ series, members: point.members, ms: point.roundMs })),
  );
  const last = reducer[0]!.points.at(-1)!;
  const nLogN = (n: number) => n * Math.log(n);
  const reference = reducer[0]!.points.map((point) => ({
    series: 'n log n, for comparison',
    members: point.members,
    ms: (last.roundMs * nLogN(point.members)) / nLogN(last.members),
  }));
  return {
    title: 'Processor time of a round in the reducer',
    ...CHART,
    data: { values: [...points, ...reference] },
    mark: { type: 'line', point: true },
    encoding: {
      x: members,
      y: { field: 'ms', type: 'quantitative', scale: { type: 'log' }, title: 'milliseconds' },
      color: { field: 'series', type: 'nominal', title: null, legend: { labelLimit: 300 } },
    },
  };
}

function memoryChart(reducer: Series): TopLevelSpec {
  const values = reducer.flatMap(({ series, points }) =>
    points.flatMap(({ members, heapBytes, jsonBytes }) => [
      { what: `heap, ${series}`, members, bytes: heapBytes },
      { what: `JSON, ${series}`, members, bytes: jsonBytes },
    ]),
  );
  return {
    title: 'Memory per member in the reducer',
    ...CHART,
    data: { values },
    mark: { type: 'line', point: true },
    encoding: {
      x: members,
      y: { field: 'bytes', type: 'quantitative', title: 'bytes per member' },
      color: { field: 'what', type: 'nominal', title: null, legend: { labelLimit: 300 } },
    },
  };
}

function logChart(log: readonly LogPoint[]): TopLevelSpec {
  const sizes = log.flatMap(({ entries, logBytes, besideBytes, start }) => [
    { what: 'the log itself', entries, megabytes: logBytes / 1e6 },
    { what: 'written beside it', entries, megabytes: besideBytes / 1e6 },
    { what: 'memory of a start', entries, megabytes: start.residentBytes / 1e6 },
  ]);
  const times = log.map(({ entries, start }) => ({ entries, seconds: start.cpuMs / 1000 }));
  const x = { field: 'entries', type: 'quantitative', title: 'entries', axis: { tickCount: 5 } } as const;
  return {
    title: 'A log of 1,000 members: what is written, and what a start takes',
    hconcat: [
      {
        ...{ width: 400, height: CHART.height },
        data: { values: sizes },
        mark: { type: 'line', point: true },
        encoding: {
          x,
          y: { field: 'megabytes', type: 'quantitative', title: 'MB' },
          color: { field: 'what', type: 'nominal', title: null, legend: { orient: 'top', labelLimit: 400 } },
        },
      },
      {
        ...{ width: 240, height: CHART.height },
        data: { values: times },
        mark: { type: 'line', point: true },
        encoding: { x, y: { field: 'seconds', type: 'quantitative', title: 'processor seconds of a start' } },
      },
    ],
  };
}

function populationChart({ rounds }: NonNullable<Results['population']>): TopLevelSpec {
  const x = { field: 'round', type: 'quantitative', title: 'round' } as const;
  return {
    title: 'One simulated run: members, and processor time of the whole world in each round',
    ...CHART,
    data: { values: [...rounds] },
    layer: [
      {
        mark: { type: 'bar', color: '#bcd', width: 8 },
        encoding: { x, y: { field: 'members', type: 'quantitative', title: 'members (bars)' } },
      },
      {
        mark: { type: 'line', point: true, color: '#c50' },
        encoding: { x, y: { field: 'cpuSeconds', type: 'quantitative', title: 'processor seconds (line)' } },
      },
    ],
    resolve: { scale: { y: 'independent' } },
  };
}

function goodputChart(goodput: readonly GoodputPoint[]): TopLevelSpec {
  const values = goodput.map(({ arm, trainers, seed, verified }) => ({
    arm,
    seed,
    verified,
    who: `${trainers} seats`,
  }));
  const x = { field: 'arm', type: 'nominal', title: null, axis: { labelAngle: 0 } } as const;
  return {
    title: 'Goodput while a fifth of the trainers fails in every round',
    data: { values },
    facet: { column: { field: 'who', type: 'nominal', title: null, sort: ['10 seats', '100 seats'] } },
    spec: {
      width: 300,
      height: 300,
      layer: [
        {
          mark: { type: 'bar', color: '#9bc' },
          encoding: {
            x,
            y: {
              aggregate: 'mean',
              field: 'verified',
              type: 'quantitative',
              title: 'verified, %',
              scale: { domain: [0, 100] },
            },
          },
        },
        { mark: { type: 'point', color: '#333' }, encoding: { x, y: { field: 'verified', type: 'quantitative' } } },
        { mark: { type: 'rule', color: '#c50', strokeDash: [4, 4] }, encoding: { y: { datum: 95 } } },
      ],
    },
  };
}
