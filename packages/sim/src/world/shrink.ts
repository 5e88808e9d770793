/**
 * Shrinks a plan that fails: takes away blows, members and weather as long as the same checker still fails (delta
 * debugging, Zeller and Hildebrandt 2002). What is left is what matters.
 */
import type { Plan } from './plan.ts';

/** Whether the plan still fails in the same way. */
export type StillFails = (plan: Plan) => Promise<boolean>;

/** At most `budget` worlds are tried. */
export async function shrink(plan: Plan, stillFails: StillFails, budget = 80): Promise<Plan> {
  let smallest = plan;
  let left = budget;
  const attempt = async (smaller: Plan): Promise<boolean> => {
    if (left <= 0) return false;
    left--;
    if (!(await stillFails(smaller))) return false;
    smallest = smaller;
    return true;
  };
  await fewerBlows(() => smallest, attempt);
  for (let index = smallest.members.length - 1; index > 0; index--) await attempt(without(smallest, index));
  for (let index = smallest.members.length - 1; index > 0; index--)
    if (smallest.members[index]?.adversary !== undefined) await attempt(honest(smallest, index));
  await attempt({ ...smallest, weather: {} });
  for (const rule of Object.keys(smallest.rules) as (keyof Plan['rules'])[])
    if (smallest.rules[rule]) await attempt({ ...smallest, rules: { ...smallest.rules, [rule]: false } });
  for (let i = 0; i < smallest.blows.length; i++) await attempt(shorter(smallest, i));
  while (smallest.chaosMs > 5000 && (await attempt({ ...smallest, chaosMs: smallest.chaosMs >> 1 })));
  while (smallest.rounds > 1 && (await attempt({ ...smallest, rounds: smallest.rounds >> 1 })));
  return smallest;
}

/** Halves, then quarters, then single blows. */
async function fewerBlows(now: () => Plan, attempt: (plan: Plan) => Promise<boolean>): Promise<void> {
  if (await attempt({ ...now(), blows: [] })) return;
  for (let size = now().blows.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < now().blows.length; ) {
      const { blows } = now();
      const isGone =
        blows.length > size && (await attempt({ ...now(), blows: [...blows.slice(0, at), ...blows.slice(at + size)] }));
      if (!isGone) at += size;
    }
  }
}

/** Without one member; blows name others by their new numbers. */
export function without(plan: Plan, index: number): Plan {
  const victims = (all: readonly number[]) =>
    all.filter((one) => one !== index).map((one) => (one > index ? one - 1 : one));
  return {
    ...plan,
    members: plan.members.filter((_, i) => i !== index),
    blows: plan.blows
      .filter((blow) => blow.victims.length === 0 || victims(blow.victims).length > 0)
      .map((blow) => ({ ...blow, victims: victims(blow.victims) })),
  };
}

function honest(plan: Plan, index: number): Plan {
  return { ...plan, members: plan.members.map((member, i) => (i === index ? { name: member.name } : member)) };
}

function shorter(plan: Plan, index: number): Plan {
  return {
    ...plan,
    blows: plan.blows.map((blow, i) => (i === index ? { ...blow, lastsMs: blow.lastsMs >> 2 } : blow)),
  };
}
