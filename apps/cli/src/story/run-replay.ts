/** `replay` in full: chooses, fetches, re-executes, tells. */
import { isWorldError, shortId, WorldError } from '@folkmoot/core';
import { memoryPlan } from '@folkmoot/node';
import type { ReplayOptions } from '../commands/replay.ts';
import type { Invocation } from '../invocation.ts';
import { memoryBudget } from '../memory/memory-budget.ts';
import { parseCount } from '../run/take-part.ts';
import { formatLoss } from '../ui/format.ts';
import { oneLine } from '../ui/width.ts';
import { percent, verdictText } from './entry-lines.ts';
import { prepareFolder } from './export-folder.ts';
import { exportSegment } from './export-segment.ts';
import { findMember } from './find-member.ts';
import { namesOf } from './names.ts';
import { openRun } from './open-run.ts';
import { type Finding, replay } from './replay.ts';
import { openBench, type ReplayBench } from './replay-bench.ts';
import { chooseReplays, describe, neededFor, type Replayable } from './replayable.ts';
import { RunStore } from './run-store.ts';
import { Story } from './story.ts';
import { roundFacts } from './why-member.ts';

/** The claim does not hold. */
const EXIT_MISMATCH = 3;

export async function runReplay(call: Invocation, options: ReplayOptions): Promise<void> {
  const run = await openRun(call.home, options.run);
  const story = await Story.read(run);
  const candidates = chooseReplays(story, {
    round: options.round === undefined ? undefined : parseCount('--round', options.round),
    segment: options.segment === undefined ? undefined : parseCount('--segment', options.segment),
    trainer: options.member === undefined ? undefined : findMember(story.state.members, options.member),
  });
  if (options.export !== undefined) {
    if (candidates[0]!.kind === 'round') throw notExportable(describe(story, candidates[0]!));
    await prepareFolder(options.export, options.force === true);
  }
  const store = await RunStore.open(run, call);
  let bench: ReplayBench | undefined;
  try {
    const plan = memoryPlan(run.charter, await memoryBudget(run.charter.engine.kind, { engine: options.engine }));
    bench = await openBench(run, store, options.engine, plan);
    const { one, finding } = await replayFirst(call, story, store, bench, candidates);
    if (options.export !== undefined && one.kind === 'segment') await exportSegment(bench, one, options.export);
    tell(call, story, one, finding, bench.engine.name, options.export);
    if (finding.outcome === 'mismatch') process.exitCode = EXIT_MISMATCH;
  } finally {
    await bench?.close();
    await store.close();
  }
}

/** The first of `candidates` whose artifacts can be had: where one's cannot, those that lie here come next. */
async function replayFirst(
  call: Invocation,
  story: Story,
  store: RunStore,
  bench: ReplayBench,
  [one, ...others]: Replayable[],
): Promise<{ one: Replayable; finding: Finding }> {
  call.note(`replaying ${describe(story, one!)} …`);
  try {
    return { one: one!, finding: await replay(bench, one!, call.stopSignal()) };
  } catch (error) {
    if (!isWorldError(error, 'artifact-unavailable') || others.length === 0) throw error;
    call.note(`${error.message} Trying another.`);
    const here = await Promise.all(others.map((other) => store.has(neededFor(other))));
    const next = [...others.filter((_, i) => here[i]), ...others.filter((_, i) => !here[i])];
    return replayFirst(call, story, store, bench, next);
  }
}

function tell(
  call: Invocation,
  story: Story,
  one: Replayable,
  finding: Finding,
  engine: string,
  exportedTo: string | undefined,
): void {
  const nameOf = namesOf(story.state.members);
  const claimedOn = one.kind === 'segment' ? one.audit.commit.engine : (one.seat.engine ?? '');
  const verdicts = one.kind === 'segment' ? one.verdicts : [];
  call.object({
    round: one.round,
    segment: one.kind === 'segment' ? one.segment : null,
    member: nameOf(one.trainer),
    device: one.trainer,
    commit: one.kind === 'segment' ? one.audit.commit.id : one.seat.commit,
    verdicts: verdicts.map(({ id, auditor, outcome }) => ({ id, auditor, outcome })),
    engine,
    claimedEngine: claimedOn,
    tolerancePpm: story.run.charter.engine.tolerancePpm,
    ...finding,
    exportedTo: exportedTo ?? null,
  });
  const { losses, tookMs, claimed, mine } = finding;
  call.say(describe(story, one));
  call.say(
    `  claimed  by ${nameOf(one.trainer)} on ${oneLine(claimedOn)}, commit ${shortId(one.kind === 'segment' ? one.audit.commit.id : one.seat.commit)}`,
  );
  for (const verdict of verdicts)
    call.say(
      `  audited  by ${nameOf(verdict.auditor)}: ${oneLine(verdictText(verdict))} (verdict ${shortId(verdict.id)})`,
    );
  const fate = settlementOf(story, one);
  if (fate) call.say(`  settled  ${fate}`);
  call.say(
    `  re-run   here on ${engine}: ${losses.length} steps in ${(tookMs / 1000).toFixed(1)} s, loss ${formatLoss(losses[0])} → ${formatLoss(losses.at(-1))}`,
  );
  for (const [name, id] of Object.entries(claimed)) call.say(`  ${partLine(name, id, mine[name])}`);
  if (exportedTo !== undefined)
    call.say(`  written  to ${exportedTo}: check it with python3 examples/check_segment.py ${exportedTo}`);
  call.say(conclusion(finding, story, one));
}

/** What the log says of the trainer's round. */
function settlementOf(story: Story, { round, trainer }: Replayable): string | undefined {
  const settlement = story.rounds.all.get(round)?.settlements.findLast(({ device }) => device === trainer);
  return settlement && roundFacts(story, settlement, namesOf(story.state.members)).sentence;
}

const PARTS: Readonly<Record<string, string>> = {
  params: 'parameters at the end',
  moments: 'moments at the end',
  update: 'update, encoded again',
  errorOut: 'error memory left over',
};

function partLine(name: string, claimed: string, mine: string | undefined): string {
  const label = (PARTS[name] ?? name).padEnd(23);
  return claimed === mine
    ? `${label} ${claimed} – equal`
    : `${label} ${claimed} – differs: ${mine ?? 'nothing came out'}`;
}

function conclusion(
  { outcome, part, distancePpm, tensor, firstTensor }: Finding,
  story: Story,
  one: Replayable,
): string {
  const { tolerancePpm } = story.run.charter.engine;
  if (outcome === 'match') return 'match: the same bits';
  if (outcome === 'within')
    return `within tolerance: other bits, as another processor or engine gives; ${percent(distancePpm ?? 0)} of the change apart, most in ${tensor} (${percent(tolerancePpm)} are allowed)`;
  if (part === 'encode') return 'mismatch: the update is not the encoding of the claimed state';
  if (one.kind === 'round')
    return 'mismatch: other bits. The end states of this round were not opened, so how far apart they are cannot be measured: another processor gives other bits too';
  return `mismatch: ${percent(distancePpm ?? 0)} of the change apart, most in ${oneLine(tensor)} (${percent(tolerancePpm)} are allowed); first differing tensor ${oneLine(firstTensor)}`;
}

function notExportable(what: string): WorldError {
  return new WorldError(
    'segment-not-opened',
    `No single segment of this was opened, so none can be exported: ${what}.`,
    {
      help: 'Choose a segment that was audited: "folkmoot log --kind close" lists them.',
    },
  );
}
