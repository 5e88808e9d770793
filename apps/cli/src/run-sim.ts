/** Simulated worlds for a person: one with its summary, many with a counter, or planted bugs with who noticed them. */
import { open, readFile, writeFile } from 'node:fs/promises';
import { WorldError } from '@folkmoot/core';
import {
  adversaryNames,
  CHECKERS,
  explainFailure,
  NEMESES,
  type NemesisName,
  type Outcome,
  type Plan,
  planLines,
  planOf,
  runPlan,
  type Summary,
  summaryOf,
  timelineOf,
  type Wishes,
} from '@folkmoot/sim';
import type { SimOptions } from './commands/sim.ts';
import type { Invocation } from './invocation.ts';
import { parseCount } from './run/take-part.ts';
import { formatCount, formatDuration } from './ui/format.ts';

const MOST_MEMBERS = 200;
const TRACE_LINES = 100_000;

export async function runSim(call: Invocation, options: SimOptions): Promise<void> {
  if (options.list) return list(call);
  if (options.plant !== undefined) {
    const { runPlants } = await import('./run-plants.ts');
    return runPlants(call, options.plant, options.table === true);
  }
  const wishes = wishesOf(options);
  if (options.soak) return many(call, numberOf(options.seed), Number.POSITIVE_INFINITY, wishes);
  if (options.seeds !== undefined)
    return many(call, numberOf(options.seed), parseCount('--seeds', options.seeds), wishes);
  const plan = options.plan === undefined ? planOf(options.seed, wishes) : await planFrom(options.plan);
  await one(call, plan, options);
}

async function one(call: Invocation, plan: Plan, options: SimOptions): Promise<void> {
  const lines =
    options.trace === undefined || options.trace === true ? TRACE_LINES : parseCount('--trace', options.trace);
  const html = options.html;
  if (html !== undefined) await open(html, 'a').then((file) => file.close(), cannotWrite(html));
  for (const line of planLines(plan)) call.say(line);
  const outcome = await runPlan(plan);
  const summary = summaryOf(outcome);
  call.object(summary);
  for (const line of summaryLines(summary)) call.say(line);
  if (options.trace !== undefined) for (const line of outcome.chronicle.lines(lines)) call.say(line);
  if (html !== undefined) {
    await writeFile(html, timelineOf(outcome)).catch(cannotWrite(html));
    call.say(`timeline: ${html}`);
  }
  if (outcome.violation) throw await failure(call, outcome);
}

async function many(call: Invocation, from: number, count: number, wishes: Wishes): Promise<void> {
  const signal = call.stopSignal();
  const startedMs = performance.now();
  let rounds = 0;
  let entries = 0;
  let [line, told] = ['', ''];
  for (let done = 0; done < count && !signal.aborted; done++) {
    const outcome = await runPlan(planOf(String(from + done), wishes));
    const summary = summaryOf(outcome);
    rounds += summary.rounds;
    entries += summary.entries;
    const { seed, traceHash, violation } = summary;
    call.object({ seed, rounds: summary.rounds, entries: summary.entries, traceHash, ...(violation && { violation }) });
    if (outcome.violation) throw await failure(call, outcome);
    line = `${formatCount(done + 1)} worlds, ${formatCount(rounds)} rounds, ${formatCount(entries)} entries, nothing wrong, ${formatDuration(performance.now() - startedMs)}`;
    if (call.live) process.stdout.write(`\r${line}`);
    else if ((done + 1) % 25 === 0) call.say((told = line));
    // Lets the signal's handler run.
    await new Promise(setImmediate);
  }
  if (call.live) call.say('');
  else if (told !== line) call.say(line);
}

/** What a person needs to see it again, shrunk. */
async function failure(call: Invocation, outcome: Outcome): Promise<WorldError> {
  call.note('Something is wrong. Looking for the smallest world that shows it ...');
  const { text } = await explainFailure(outcome);
  return new WorldError('invariant-broken', text, {
    facts: { seed: outcome.plan.seed },
    help: 'Please report it with what is above: a checker that is right has found a bug.',
  });
}

function summaryLines({ rounds, voids, entries, lastedMs, people, checkers, traceHash, violation }: Summary): string[] {
  const width = Math.max(...people.map(({ name }) => name.length));
  return [
    '',
    `${rounds} rounds ended, ${voids} void, ${formatCount(entries)} log entries in ${formatDuration(lastedMs)} of simulated time`,
    '',
    ...people.map(({ name, adversary, earned, forfeited, fates, crashes }) => {
      const list = Object.entries(fates).map(([fate, count]) => `${count} ${fate}`);
      const lost = forfeited > 0 ? `, ${formatCount(forfeited)} forfeited` : '';
      const ends = crashes > 0 ? `; its process ended ${crashes === 1 ? 'once' : `${crashes} times`}` : '';
      return `  ${name.padEnd(width)}  ${(adversary ?? 'honest').padEnd(16)} ${formatCount(earned).padStart(7)} credits${lost}: ${list.join(', ') || 'no round'}${ends}`;
    }),
    '',
    `looked: ${checkers.map(({ invariant, name, looks }) => `${invariant} ${name} ${formatCount(looks)}`).join(', ')}`,
    violation ? `WRONG: ${violation.message}` : 'nothing was wrong',
    `trace ${traceHash.slice(0, 16)}`,
  ];
}

function list(call: Invocation): void {
  const nemeses = Object.entries(NEMESES).map(([name, { about }]) => ({ name, about }));
  const adversaries = adversaryNames();
  const checkers = Object.keys(CHECKERS);
  call.object({ nemeses, adversaries, checkers });
  for (const { name, about } of nemeses) call.say(`${name.padEnd(20)}${about}`);
  call.say(`\nadversaries: ${adversaries.join(', ')}`);
  call.say(`checkers: ${checkers.join(', ')}, copies, progress`);
}

function wishesOf(options: SimOptions): Wishes {
  const members = options.members === undefined ? undefined : parseCount('--members', options.members, 3);
  if (members !== undefined && members > MOST_MEMBERS)
    throw new WorldError('bad-number', `--members is at most ${MOST_MEMBERS} here.`);
  return {
    ...(members !== undefined && { members }),
    ...(options.rounds !== undefined && { rounds: parseCount('--rounds', options.rounds) }),
    ...(options.minutes !== undefined && { minutes: between('--minutes', options.minutes, 0.01, 600) }),
    ...(options.calm && { calm: true }),
    ...(options.nemesis && { nemeses: options.nemesis.map(nemesisOf) }),
    ...(options.loss !== undefined && { loss: between('--loss', options.loss, 0, 0.2) }),
    ...(options.delay !== undefined && { delayMs: Math.round(between('--delay', options.delay, 1, 60_000)) }),
    ...(options.adversary && { adversaries: Object.fromEntries(options.adversary.map(adversaryOf)) }),
    ...(options.real && { real: true }),
  };
}

function nemesisOf(name: string): NemesisName {
  if (name in NEMESES) return name as NemesisName;
  throw new WorldError('no-such-nemesis', `There is no nemesis "${name}".`, {
    help: `There are: ${Object.keys(NEMESES).join(', ')}.`,
  });
}

function adversaryOf(text: string): [string, number] {
  const [name = '', part = '0.2'] = text.split('=');
  if (!adversaryNames().includes(name))
    throw new WorldError('no-such-adversary', `There is no adversary "${name}".`, {
      help: `There are: ${adversaryNames().join(', ')}. Say NAME=PART, such as free-rider=0.2.`,
    });
  return [name, between('--adversary', part, 0, 1)];
}

function between(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= least && value <= most) return value;
  throw new WorldError('bad-number', `${option} is a number from ${least} to ${most}, not "${text}".`);
}

function numberOf(seed: string): number {
  const value = Number(seed);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new WorldError('bad-number', `Many seeds begin at a number, not at "${seed}".`);
}

async function planFrom(text: string): Promise<Plan> {
  let plan: Plan;
  try {
    plan = JSON.parse(text.startsWith('{') ? text : await readFile(text, 'utf8')) as Plan;
  } catch (cause) {
    throw badPlan('is not JSON', cause);
  }
  // Our own programs have written it: what is looked for is a plan that was cut off, or another file.
  const { seed, members, rules, weather, blows, chaosMs, rounds } = plan ?? {};
  const isWhole =
    typeof seed === 'string' &&
    Array.isArray(members) &&
    Array.isArray(blows) &&
    [rules, weather].every((part) => typeof part === 'object' && part !== null) &&
    [chaosMs, rounds].every(Number.isFinite);
  if (!isWhole) throw badPlan('lacks a part', undefined);
  return plan;
}

function badPlan(reason: string, cause: unknown): WorldError {
  return new WorldError('bad-plan', `The plan ${reason}.`, {
    help: 'Give what a failure has printed, or the name of a file that holds it.',
    cause,
  });
}

/** Before the world runs, not after. */
function cannotWrite(file: string): (cause: Error) => never {
  return (cause) => {
    throw new WorldError('file-unwritable', 'The timeline cannot be written there.', {
      facts: { file, found: cause.message },
      help: 'Give another file with --html.',
      cause,
    });
  };
}
