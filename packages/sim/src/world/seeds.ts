/** Many worlds, one after another, from their numbers. */
import { rememberSignatures } from '@folkmoot/core';
import { drawableAdversaries } from './cast.ts';
import { drawPlan, type Plan, type Wishes } from './plan.ts';
import { type Outcome, runWorld } from './world.ts';

/** Signatures that one process remembers: those of some hundred worlds. */
const REMEMBERED = 50_000;

export function planOf(seed: string, wishes: Wishes = {}): Plan {
  return drawPlan(seed, wishes, drawableAdversaries());
}

/** Runs the worlds of `seeds` and yields what each came to. */
export async function* runSeeds(seeds: Iterable<string>, wishes: Wishes = {}): AsyncGenerator<Outcome> {
  rememberSignatures(REMEMBERED);
  for (const seed of seeds) yield await runWorld(planOf(seed, wishes));
}
