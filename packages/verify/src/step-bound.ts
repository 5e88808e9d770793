/** The one-step bound: how far an honest state may be after one step from a given one. */
import type { ParameterLayout } from '@folkmoot/model';
import { CALIBRATION, type Tolerance } from './calibration.ts';
import { type State, type StepState, tensorDistances } from './distance.ts';

const BILLION = 1e9;

/**
 * Whether `claimed` is as near to `mine`, the same step from `before`, as honest engines are to each other: moments and
 * parameters each within their calibrated tolerance, in every tensor. Both as they are within a segment, or both rounded.
 */
export function isWithinStep(
  layout: ParameterLayout,
  before: State | StepState,
  claimed: State | StepState,
  mine: State | StepState,
  { stepMomentsPpb, stepParametersPpb }: Tolerance = CALIBRATION.tolerance,
): boolean {
  return tensorDistances(layout, before, claimed, mine).every(({ tensor, ratio }) => {
    const most = /^[mv] of /.test(tensor) ? stepMomentsPpb : stepParametersPpb;
    return Math.ceil(BILLION * ratio) <= most;
  });
}
