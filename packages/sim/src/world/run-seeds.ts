/**
 * A process of its own for many worlds: `node run-seeds.ts FROM COUNT [STEP]`. Prints a line of JSON for each seed and ends with
 * 1 at the first that fails. Not under a test runner, whose watching of every promise costs a third of the time.
 */
import { sceneOf } from './plan.ts';
import { explainFailure } from './report.ts';
import { planOf, runSeeds } from './seeds.ts';

const [from = 0, count = 10, step = 1] = process.argv.slice(2).map(Number);
/** Worlds for shrinking: `FOLKMOOT_SHRINK=0` only says what failed. */
const budget = Number(process.env.FOLKMOOT_SHRINK ?? 40);

let cpu = process.cpuUsage();
/** Only worlds with this in their scene. */
const aim = new RegExp(process.env.FOLKMOOT_AIM ?? '');
const all = Array.from({ length: count }, (_, i) => String(from + i * step));
const seeds = all.filter((seed) => aim.test(sceneOf(planOf(seed))));
for await (const outcome of runSeeds(seeds)) {
  const { plan, violation, traceHash, referee } = outcome;
  const { user, system } = process.cpuUsage(cpu);
  cpu = process.cpuUsage();
  const { finalized, head } = referee.state;
  const cpuMs = Math.round((user + system) / 1000);
  const line = { seed: plan.seed, traceHash, rounds: finalized, entries: head.index + 1, cpuMs };
  if (!violation) {
    process.stdout.write(`${JSON.stringify(line)}\n`);
    continue;
  }
  const { invariant, checker, message } = violation;
  const text = budget > 0 ? (await explainFailure(outcome, budget)).text : message;
  process.stdout.write(`${JSON.stringify({ ...line, invariant, checker, message, text })}\n`);
  process.exitCode = 1;
  break;
}
