/** What an experiment is: arms to compare, and the bands that must hold. Data; `report.ts` reads it. */
import type { Arm } from './arm.ts';
import type { Result } from './run-arm.ts';

export interface Row {
  readonly label: string;
  readonly arm: Arm;
  /** What its loss is compared with, seed by seed. */
  readonly against?: Arm;
}

export interface Band {
  readonly text: string;
  /** Whether it holds with one seed; `undefined` where a result is missing. */
  holds(result: (arm: Arm) => Result | undefined): boolean | undefined;
}

export interface Experiment {
  /** `L1` to `L8`, or another short name. */
  readonly id: string;
  readonly title: string;
  readonly rows: readonly Row[];
  readonly bands: readonly Band[];
}

/** The arms of `experiment`, each once. */
export function armsOf({ rows }: Experiment): Arm[] {
  return [
    ...new Map(
      rows.flatMap(({ arm, against }) => [arm, ...(against ? [against] : [])]).map((arm) => [arm.id, arm]),
    ).values(),
  ];
}

/** A band on the final losses of some arms, in their order. */
export function lossBand(text: string, arms: readonly Arm[], holds: (...losses: number[]) => boolean): Band {
  return {
    text,
    holds(result) {
      const results = arms.map(result);
      if (results.includes(undefined)) return undefined;
      return holds(...results.map((each) => finalLoss(each!)));
    },
  };
}

/** The hold-out loss at the end; infinite where training diverged. */
export function finalLoss({ curve, diverged }: Result): number {
  return diverged !== undefined || curve.length === 0 ? Number.POSITIVE_INFINITY : curve.at(-1)![1];
}
