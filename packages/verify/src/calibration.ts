/**
 * How far honest engines are from each other, as it was measured, and the tolerances that follow.
 *
 * `calibration.json` is a summary of `docs/results/calibration.json`, which `./folkmoot bench calibrate` has made. A charter
 * names it by its hash: whoever wonders where a run's tolerance comes from finds the measurement.
 */
import { type Canonical, type Hash, idOf } from '@folkmoot/core';
import measured from './calibration.json' with { type: 'json' };

/** Distances of one pair of engines: of each sample the worst tensor (or operator), parts per billion of its change. */
export interface Spread {
  readonly samples: number;
  /** Samples with equal values in every tensor. */
  readonly equal: number;
  readonly medianPpb: number;
  readonly p99Ppb: number;
  readonly maxPpb: number;
}

export interface PairSpread {
  readonly engine: string;
  /** At a segment's end: what an auditor measures. */
  readonly segment: Spread;
  /** The moments after one step, before any rounding: the gradient. */
  readonly stepMoments: Spread;
  /** The parameters after one step. */
  readonly stepParameters: Spread;
}

export interface Calibration {
  readonly method: {
    readonly model: string;
    /** The train program. */
    readonly train: Hash;
    readonly steps: number;
    readonly stepsPerSegment: number;
    readonly rows: number;
    /** The engine that led: every segment of the others began where it stood. */
    readonly leader: string;
  };
  readonly pairs: Readonly<Record<string, PairSpread>>;
  /** Every operator of the train program for itself, `exact` against the leader, at some steps; relative to its result. */
  readonly operators: Spread;
  readonly tolerance: Tolerance;
}

/** What is taken for honest. */
export interface Tolerance {
  /** At a segment's end: what charters have as `tolerancePpm`. */
  readonly segmentPpm: number;
  /** The moments after one step from the same state, before any rounding. */
  readonly stepMomentsPpb: number;
  /** The parameters after one step from the same state. */
  readonly stepParametersPpb: number;
  /** The result of one operator from the same inputs. */
  readonly operatorPpb: number;
}

/** For processors that were not measured: noise ten times as large as the worst that was. */
const MARGIN = 10;

export const CALIBRATION: Calibration = measured;

/** What charters name: the hash of its canonical JSON. */
export const CALIBRATION_ID: Hash = idOf(measured as unknown as Canonical);

/** Every distance: for each pair and sample one number a tensor, in parts per billion, in the order of `tensors`. */
export interface Samples {
  /** Parameters, then `m of`, then `v of` them. */
  readonly tensors: readonly string[];
  readonly segments: Readonly<Record<string, readonly (readonly number[])[]>>;
  readonly steps: Readonly<Record<string, readonly (readonly number[])[]>>;
  readonly operators: { readonly at: readonly { readonly ppb: readonly number[] }[] };
}

/** The summary of `samples`; `engines` are the names of the pairs' other engines. */
export function summarize(
  method: Calibration['method'],
  engines: Readonly<Record<string, string>>,
  samples: Samples,
): Calibration {
  const isMoment = samples.tensors.map((name) => /^[mv] of /.test(name));
  const moments = (list: readonly number[]) => list.filter((_, i) => isMoment[i]);
  const parameters = (list: readonly number[]) => list.filter((_, i) => !isMoment[i]);
  const pairs = Object.fromEntries(
    Object.entries(engines).map(([pair, engine]) => {
      const [segments, steps] = [samples.segments[pair]!, samples.steps[pair]!];
      return [
        pair,
        {
          engine,
          segment: spreadOf(segments),
          stepMoments: spreadOf(steps.map(moments)),
          stepParameters: spreadOf(steps.map(parameters)),
        },
      ];
    }),
  );
  const operators = spreadOf(samples.operators.at.map(({ ppb }) => ppb));
  return { method, pairs, operators, tolerance: toleranceOf(Object.values(pairs), operators) };
}

/** The worst that was measured, times the margin, rounded up to two digits. */
function toleranceOf(pairs: readonly PairSpread[], operators: Spread): Tolerance {
  const most = (of: (pair: PairSpread) => Spread) => Math.max(...pairs.map((pair) => of(pair).maxPpb));
  return {
    segmentPpm: roundUp((MARGIN * most(({ segment }) => segment)) / 1000),
    stepMomentsPpb: roundUp(MARGIN * most(({ stepMoments }) => stepMoments)),
    stepParametersPpb: roundUp(MARGIN * most(({ stepParameters }) => stepParameters)),
    operatorPpb: roundUp(MARGIN * operators.maxPpb),
  };
}

function spreadOf(samples: readonly (readonly number[])[]): Spread {
  const worst = samples.map((list) => Math.max(...list)).sort((a, b) => a - b);
  const at = (share: number) => worst[Math.min(worst.length - 1, Math.floor(share * worst.length))]!;
  const equal = worst.filter((value) => value === 0).length;
  return { samples: worst.length, equal, medianPpb: at(0.5), p99Ppb: at(0.99), maxPpb: at(1) };
}

/** To two digits. */
function roundUp(value: number): number {
  let unit = 1;
  while (value / unit > 100) unit *= 10;
  return Math.ceil(value / unit) * unit;
}
