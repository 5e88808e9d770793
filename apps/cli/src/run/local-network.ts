/** `up` in full: one `create` in this process, a `join` process for every other member, and the model's answer in the end. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { CHEATER_NAMES as CHEATER_KINDS, isCheaterName } from '@folkmoot/adversaries';
import { formatBytes, shortId, WorldError } from '@folkmoot/core';
import type { Notice } from '@folkmoot/node';
import type { UpOptions } from '../commands/up.ts';
import type { Invocation } from '../invocation.ts';
import { availableMemory } from '../memory/available-memory.ts';
import { type Report, reportFor } from '../ui/report.ts';
import { answer } from './answer.ts';
import { createOrResume } from './creation.ts';
import { RunFollower } from './follow-run.ts';
import { MemberProcess } from './member-process.ts';
import { inviteOf } from './participation.ts';
import { Session } from './session.ts';
import {
  parseCount,
  parseDuration,
  parseSize,
  type StopRules,
  summarize,
  untilDone,
  untilInterrupted,
} from './take-part.ts';
import { sumOf, type Totals } from './totals.ts';

const DEFAULT_ROUNDS = 12;
const NAMES = ['ana', 'ben', 'cleo', 'dara', 'emil', 'fay', 'gus', 'hana', 'ivo', 'june', 'kai', 'lena'];
const CHEATER_NAMES = ['mallory', 'trudy', 'oscar', 'sybil'];

export async function runNetwork(call: Invocation, options: UpOptions): Promise<void> {
  const plan = planOf(options);
  const signal = call.stopSignal();
  const founding = {
    ...options,
    rounds: plan.stop.rounds === undefined ? undefined : String(plan.stop.rounds),
    listen: '127.0.0.1',
    minMembers: String(Math.max(2, Math.min(plan.honest.length, 3))),
  };
  const count = plan.honest.length + plan.cheaters.length;
  const { open, entrance, resumed } = await createOrResume(call, founding, 'up', count);
  const memoryBytes = Math.floor((plan.memoryBytes ?? (await availableMemory())) / count);
  const report = reportFor(call);
  const members: MemberProcess[] = [];
  let follower: RunFollower | undefined;
  const early: Notice[] = [];
  try {
    const session = await Session.open(open, entrance, {
      home: call.home,
      name: plan.honest[0],
      host: '127.0.0.1',
      threads: plan.threads,
      evaluates: true,
      maxStoreBytes: plan.maxStoreBytes,
      rounds: plan.stop.rounds,
      memoryBytes,
      watch: (notice) => (follower ? follower.notice(notice) : early.push(notice)),
      signal,
    });
    // Where a finished run is asked for again, there is nothing left to do: say how to get a new one.
    if (resumed) report.event(`the run stands at round ${session.member.log.state.finalized}`, { type: 'resumed' });
    follower = newFollower(session, report, plan, members);
    for (const notice of early) follower.notice(notice);
    await live(call, options, { plan, memoryBytes, session, follower, report, members }, signal);
  } finally {
    report.close();
    await Promise.all(members.map((member) => member.leave()));
  }
}

interface Plan {
  readonly honest: readonly string[];
  readonly cheaters: readonly { name: string; kind: string }[];
  readonly threads: number;
  /** For all members together. */
  readonly memoryBytes?: number;
  /** For each member's own store. */
  readonly maxStoreBytes?: number;
  readonly stop: StopRules;
}

interface Network {
  readonly plan: Plan;
  /** For each member. */
  readonly memoryBytes: number;
  readonly session: Session;
  readonly follower: RunFollower;
  readonly report: Report;
  readonly members: MemberProcess[];
}

function planOf(options: UpOptions): Plan {
  const count = parseCount('--members', options.members, 2);
  const kinds = options.cheater ?? [];
  const unknown = kinds.find((kind) => !isCheaterName(kind));
  if (unknown !== undefined)
    throw new WorldError('no-such-cheater', `There is no cheater "${unknown}".`, {
      help: `There are: ${CHEATER_KINDS.join(', ')}.`,
    });
  const forMs = options.for === undefined ? undefined : parseDuration(options.for);
  const rounds =
    options.rounds === undefined
      ? forMs === undefined
        ? DEFAULT_ROUNDS
        : undefined
      : parseCount('--rounds', options.rounds);
  const share = Math.max(1, Math.floor(availableParallelism() / (count + kinds.length)));
  return {
    honest: Array.from({ length: count }, (_, i) => NAMES[i] ?? `member-${i + 1}`),
    cheaters: kinds.map((kind, i) => ({ kind, name: CHEATER_NAMES[i] ?? `cheater-${i + 1}` })),
    threads: options.threads === undefined ? share : parseCount('--threads', options.threads),
    memoryBytes: options.memory === undefined ? undefined : parseSize(options.memory),
    maxStoreBytes: options.storeLimit === undefined ? undefined : parseSize(options.storeLimit),
    stop: { rounds, forMs, exit: options.exit === true },
  };
}

function newFollower(session: Session, report: Report, plan: Plan, members: readonly MemberProcess[]): RunFollower {
  const follower = new RunFollower({
    charter: session.charter,
    state: session.member.log.state,
    report,
    roundsTarget: plan.stop.rounds,
    roleOf: (name) => plan.cheaters.find((cheater) => cheater.name === name)?.kind ?? 'honest',
    evaluates: true,
    totals: () => totalsOf(session, members),
    nowMs: () => Date.now(),
  });
  follower.own(session.identity.device.id);
  return follower;
}

async function live(call: Invocation, options: UpOptions, network: Network, signal: AbortSignal): Promise<void> {
  const { session, follower, report, members } = network;
  try {
    startMembers(call, network);
    const text = await workAndAnswer(options, network, signal);
    const summary = {
      type: 'summary',
      ...summarize(session, follower, totalsOf(session, members)),
      prompt: options.prompt,
      answer: text,
    };
    if (text !== null && !options.exit) await stayForOthers(options.prompt, text, network, signal);
    await leaveAll(network);
    report.finish(summary, closingLines(follower, network, summary));
  } finally {
    await leaveAll(network);
  }
}

/** The model's answer when the work is done; null where Ctrl+C came before. */
async function workAndAnswer(options: UpOptions, network: Network, signal: AbortSignal): Promise<string | null> {
  const { plan, session, report, members } = network;
  try {
    await untilDone(session, plan.stop, signal, () => {
      for (const member of members) member.pause();
    });
    return await answer(session, options.prompt, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    report.event('leaving; the same command goes on from here', { type: 'interrupted' });
    return null;
  }
}

async function stayForOthers(prompt: string, text: string, network: Network, signal: AbortSignal): Promise<void> {
  const { session, report } = network;
  const invite = inviteOf(session);
  report.event(`the model continues “${prompt}”: ${oneLine(text)}`, { type: 'answer' });
  report.event(`others can join with: folkmoot join ${invite}`, { type: 'invite', invite });
  report.event('members stay; Ctrl+C leaves');
  await untilInterrupted(session, signal);
}

/** Members that leave in the end are no news. */
async function leaveAll({ session, follower, members }: Network): Promise<void> {
  follower.mute();
  await Promise.all(members.map((member) => member.leave()));
  await session.close();
}

function startMembers(call: Invocation, { plan, memoryBytes, session, report, members }: Network): void {
  const invite = inviteOf(session);
  const others = [
    ...plan.honest.slice(1).map((name) => ({ name, cheater: undefined })),
    ...plan.cheaters.map(({ name, kind }) => ({ name, cheater: kind })),
  ];
  for (const { name, cheater } of others) {
    const home = join(call.home, 'members', name);
    const member = new MemberProcess({
      home,
      name,
      invite,
      cheater,
      threads: plan.threads,
      memoryBytes,
      rounds: plan.stop.rounds,
      maxStoreBytes: plan.maxStoreBytes,
    });
    members.push(member);
    member.ended.then((reason) => {
      if (!member.leaving) report.event(`${name}’s process ended: ${reason}`, { type: 'member-ended', name });
    });
  }
}

function totalsOf(session: Session, members: readonly MemberProcess[]): Totals {
  return sumOf([session.totals(), ...members.map((member) => member.totals)]);
}

function closingLines(
  follower: RunFollower,
  { session }: Network,
  summary: {
    rounds: number;
    holdoutLoss: number | null;
    wireBytes: number;
    auditBytes: number;
    prompt: string;
    answer: string | null;
  },
): string[] {
  const { state } = session.member.log;
  const lines = [
    `${summary.rounds} rounds; hold-out loss ${summary.holdoutLoss ?? '—'}; ${formatBytes(summary.wireBytes)} sent (per-step all-reduce: ${formatBytes(follower.allReduceBytes)}), of it ${formatBytes(summary.auditBytes)} for audits`,
    ...Object.values(follower.progress().members).map(
      (member) => `${member.name} (${member.role}): ${member.credits} credits`,
    ),
    `base ${shortId(state.base)} of run ${shortId(state.run)}`,
    ...(summary.answer === null ? [] : [`“${summary.prompt}” → ${oneLine(summary.answer)}`]),
  ];
  return lines;
}

const oneLine = (text: string) => JSON.stringify(text);
