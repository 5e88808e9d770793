/** A failed world for people: the seed, what is left of its plan, and the last things that happened. */
import type { Violation } from '../checkers/violation.ts';
import type { Plan } from './plan.ts';
import { shrink } from './shrink.ts';
import { type Outcome, runWorld } from './world.ts';

const TRACE_LINES = 40;

/** Shrinks the plan of a failed world and tells it. */
export async function explainFailure(outcome: Outcome, budget?: number): Promise<{ plan: Plan; text: string }> {
  const wanted = outcome.violation!;
  let last = outcome;
  const plan = await shrink(
    outcome.plan,
    async (smaller) => {
      const again = await runWorld(smaller);
      const isSame = again.violation?.checker === wanted.checker && again.violation.invariant === wanted.invariant;
      if (isSame) last = again;
      return isSame;
    },
    budget,
  );
  return { plan, text: failureText(outcome.plan.seed, last.violation!, plan, last.chronicle.lines(TRACE_LINES)) };
}

function failureText(seed: string, violation: Violation, plan: Plan, trace: readonly string[]): string {
  return [
    `seed ${seed}: ${violation.message}`,
    '',
    'what it takes:',
    ...planLines(plan).map((line) => `  ${line}`),
    '',
    'the last of what happened:',
    ...trace,
    '',
    `see it again: ./folkmoot sim --plan '${JSON.stringify(plan)}'`,
  ].join('\n');
}

export function planLines(plan: Plan): string[] {
  const names = plan.members.map(({ name, adversary }) => (adversary ? `${name} (${adversary})` : name));
  const weather = Object.keys(plan.weather).length > 0 ? JSON.stringify(plan.weather) : 'good';
  const rules = Object.entries(plan.rules).flatMap(([rule, holds]) => (holds ? [rule] : []));
  return [
    `members: ${names.join(', ')}; weather: ${weather}; ${plan.chaosMs / 1000} s of chaos, ${plan.rounds} rounds${rules.length > 0 ? `; rules: ${rules.join(', ')}` : ''}`,
    ...plan.blows.map(
      ({ nemesis, atMs, lastsMs, victims, force }) =>
        `at ${(atMs / 1000).toFixed(1)} s ${nemesis}${victims.length > 0 ? ` on ${victims.map((i) => plan.members[i]?.name ?? i).join(', ')}` : ''} for ${(lastsMs / 1000).toFixed(1)} s, force ${force}`,
    ),
  ];
}
