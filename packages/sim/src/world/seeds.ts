/** Many worlds, one after another, from their numbers. */
import { rememberSignatures } from '@folkmoot/core';
import { drawableAdversaries } from './cast.ts';
import { drawPlan, type Plan, type Wishes } from './plan.ts';
import { type Outcome, runWorld } from './world.ts';

/** Signatures that one process remembers: those of some hundred worlds. */
const REMEMBERED = 50_000;

let isRemembering = false;

export function planOf(seed: string, wishes: Wishes = {}): Plan {
  return drawPlan(seed, wishes, drawableAdversaries());
}

/** One world. Signatures that this process has checked before are remembered. */
export function runPlan(plan: Plan): Promise<Outcome> {
  if (!isRemembering) rememberSignatures(REMEMBERED);
  isRemembering = true;
  return runWorld(plan);
}

/** Runs the worlds of `seeds` and yields what each came to. */
export async function* runSeeds(seeds: Iterable<string>, wishes: Wishes = {}): AsyncGenerator<Outcome> {
  for (const seed of seeds) yield await runPlan(planOf(seed, wishes));
}
