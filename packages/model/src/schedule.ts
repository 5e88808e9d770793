/** The learning rate as a function of the step alone: warm-up, then constant, cosine or warm-up–stable–decay. */
import type { OptimizerRules, Schedule } from './optimizer-rules.ts';
import { cosSin } from './rotary.ts';

type RateRules = Pick<OptimizerRules, 'learningRate' | 'warmupSteps' | 'joinerWarmupSteps' | 'schedule'>;

/**
 * The learning rate of a step, made of + − × ÷ and sqrt in double precision, so that all machines have the same.
 *
 * `globalStep` counts the run's inner steps before this one (rounds · H + steps in the round), `deviceStep` those since
 * the device's moments were zeros; both from 0. The slower of the two linear rises decides; what the schedule leaves is
 * multiplied with it, so that a newcomer warms up to the rate that the others have. Beyond the schedule's last step the
 * rate stays `finalRate`: a run may go on.
 */
export function learningRateAt(rules: RateRules, globalStep: number, deviceStep: number): number {
  const run = Math.min(1, (globalStep + 1) / rules.warmupSteps);
  const device = Math.min(1, (deviceStep + 1) / rules.joinerWarmupSteps);
  return Number(rules.learningRate) * Math.min(run, device) * scheduleAt(rules, globalStep);
}

/** What the schedule leaves of the rate at `step`: 1 until it decays, `finalRate` from `steps` on. */
function scheduleAt({ schedule, warmupSteps }: RateRules, step: number): number {
  if (schedule.kind === 'constant') return 1;
  const last = Number(schedule.finalRate);
  if (step >= schedule.steps) return last;
  const length = schedule.kind === 'cosine' ? schedule.steps - warmupSteps : schedule.decaySteps;
  const progress = Math.max(0, (step - (schedule.steps - length)) / length);
  return last + (1 - last) * remaining(schedule, progress);
}

/** From 1 at progress 0 to 0 at progress 1. */
function remaining(schedule: Exclude<Schedule, { kind: 'constant' }>, progress: number): number {
  if (schedule.kind === 'cosine') {
    // (1 + cos πx)/2 = cos²(πx/2), whose angle stays within the owned series' range.
    const [cos] = cosSin((Math.PI / 2) * progress);
    return cos * cos;
  }
  return 1 - (schedule.shape === 'sqrt' ? Math.sqrt(progress) : progress);
}
