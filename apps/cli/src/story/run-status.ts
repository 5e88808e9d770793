/** `status` in full: plain data first, then its lines. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { AccountId, DeviceId, Hash } from '@folkmoot/core';
import { type Balance, balanceOf, isPaid } from '@folkmoot/ledger';
import { segmentsPerRound } from '@folkmoot/records';
import { lockHolder } from '@folkmoot/store';
import { formatBytes, formatCount } from '../ui/format.ts';
import { painter } from '../ui/paint.ts';
import { displayWidth, fit, oneLine } from '../ui/width.ts';
import { localTime, percent } from './entry-lines.ts';
import { inviteTo } from './invite-line.ts';
import { learningText } from './learning-rules.ts';
import { memberState, PHASES } from './member-state.ts';
import { namesOf } from './names.ts';
import type { OpenRun } from './open-run.ts';
import { Story } from './story.ts';

export interface MemberStatus extends Balance {
  readonly name: string;
  readonly device: DeviceId;
  readonly account: AccountId;
  readonly state: string;
  readonly sequencer: boolean;
  /** Rounds by what became of the audit; `undrawn`: paid without one. */
  readonly audits: {
    readonly matched: number;
    readonly refused: number;
    readonly open: number;
    readonly undrawn: number;
  };
}

export interface LineageStatus {
  readonly parent: Hash;
  readonly header: Hash;
  readonly round: number;
  /** Credits that accounts brought, and how many did; some need not have joined. */
  readonly carried: number;
  readonly accounts: number;
}

export interface RunStatus {
  readonly run: Hash;
  readonly name: string;
  readonly home: string;
  /** Process of a member of this home; null where none runs. */
  readonly pid: number | null;
  readonly round: number;
  readonly phase: string;
  readonly phaseSinceMs: number;
  readonly finished: number;
  readonly entries: number;
  readonly lastEntryMs: number;
  readonly base: Hash;
  /** The sequencer's term of office. */
  readonly term: number;
  readonly charter: object;
  /** Where the run was forked from another. */
  readonly lineage: LineageStatus | null;
  readonly members: readonly MemberStatus[];
  readonly openAudits: number;
  /** Who may join. */
  readonly admission: 'open' | 'invite' | 'list';
  /** Null where no address is known; without a ticket. */
  readonly invite: string | null;
  readonly diskBytes: number;
  readonly folder: string;
}

export async function readStatus(run: OpenRun): Promise<RunStatus> {
  const story = await Story.read(run);
  const { state } = story;
  const { charter, folder } = run;
  return {
    run: state.run,
    name: charter.name,
    home: run.home,
    pid: (await lockHolder(run.home)) ?? null,
    round: state.round.number,
    phase: state.round.phase,
    phaseSinceMs: state.round.phaseAtMs,
    finished: state.finalized,
    entries: story.entries.length,
    lastEntryMs: state.head.atMs,
    base: state.base,
    term: state.term,
    charter: highlights(run),
    lineage: lineageOf(run),
    members: memberStatuses(story),
    openAudits: Object.keys(state.audits).length,
    admission: charter.admission?.kind ?? 'open',
    invite: await inviteTo(story).then(
      ({ invite }) => invite,
      () => null,
    ),
    diskBytes: await folderBytes(folder.path),
    folder: folder.path,
  };
}

function lineageOf({ charter, shares = [] }: OpenRun): LineageStatus | null {
  if (!charter.lineage) return null;
  const { parent, header, round } = charter.lineage;
  const carried = shares.reduce((sum, { free, locked }) => sum + free + locked, 0);
  return { parent, header, round, carried, accounts: shares.length };
}

function highlights({ charter }: OpenRun) {
  const { parameters, model, codec, engine, licence, programs, dataset, credit, sequencer, creator } = charter;
  const { optimizer, aggregator } = charter;
  return {
    creator,
    sequencer,
    licence,
    parameters,
    model,
    codec,
    optimizer,
    aggregator,
    engine: engine.kind,
    tolerancePpm: engine.tolerancePpm,
    stepsPerRound: charter.stepsPerRound,
    segmentsPerRound: segmentsPerRound(charter),
    batchRows: charter.batchRows,
    microRows: charter.microRows ?? charter.batchRows,
    trainRows: dataset.trainRows,
    holdoutRows: dataset.holdoutRows,
    creditPerSegment: credit.perSegment,
    vestingRounds: credit.vestingRounds,
    tokenizer: charter.tokenizer,
    manifest: dataset.manifest,
    programs,
    initialBase: charter.initialBase,
  };
}

function memberStatuses({ state, rounds }: Story): MemberStatus[] {
  const nameOf = namesOf(state.members);
  const tallies = new Map<DeviceId, { matched: number; refused: number; undrawn: number }>();
  for (const device of Object.keys(state.members)) tallies.set(device, { matched: 0, refused: 0, undrawn: 0 });
  for (const { settlements } of rounds.all.values())
    for (const { device, outcome } of settlements) {
      const tally = tallies.get(device)!;
      if (outcome === 'matched' || outcome === 'within') tally.matched++;
      else if (isPaid(outcome)) tally.undrawn++;
      else if (outcome !== 'void' && outcome !== 'late') tally.refused++;
    }
  return Object.entries(state.members).map(([device, member]) => ({
    name: nameOf(device),
    device,
    account: member.account,
    state: memberState(state, device),
    sequencer: device === state.sequencer,
    ...balanceOf(state.ledger, member.account),
    audits: {
      ...tallies.get(device)!,
      open: Object.values(state.audits).filter((audit) => audit.trainer === device).length,
    },
  }));
}

export function statusLines(status: RunStatus, color: boolean): string[] {
  const paint = painter(color);
  const field = (label: string, value: string) => `${paint('dim', label.padEnd(9))}  ${value}`;
  const charter = status.charter as ReturnType<typeof highlights>;
  const { model } = charter;
  return [
    `${paint('bold', oneLine(status.name))}  ${paint('dim', status.run)}`,
    field('round', roundText(status)),
    field('base', status.base),
    field(
      'model',
      `${formatCount(charter.parameters)} parameters: ${model.layers} ${model.layers === 1 ? 'layer' : 'layers'}, width ${model.hidden}, ${formatCount(model.vocab)} tokens, context ${model.context}; licence ${oneLine(charter.licence)}`,
    ),
    ...(status.lineage ? [field('lineage', lineageText(status.lineage))] : []),
    field('data', `${formatCount(charter.trainRows)} rows to train on, ${formatCount(charter.holdoutRows)} held out`),
    field(
      'rules',
      `${charter.stepsPerRound} steps of ${rowsText(charter)} a round in ${charter.segmentsPerRound} segments, ${charter.creditPerSegment} credits each; ${engineText(charter)}`,
    ),
    field('learning', learningText(charter)),
    field(
      'process',
      status.pid === null ? 'no member of this home is running' : `a member of this home is running (${status.pid})`,
    ),
    field('disk', `${formatBytes(status.diskBytes)} in ${status.folder}`),
    field(
      'log',
      `${formatCount(status.entries)} entries, the last at ${localTime(status.lastEntryMs)}; ${termText(status)}`,
    ),
    '',
    ...memberTable(status, paint),
    ...(status.openAudits > 0
      ? [`${status.openAudits} ${status.openAudits === 1 ? 'audit is' : 'audits are'} under way`]
      : []),
    '',
    status.invite === null
      ? 'No address is known yet for an invite.'
      : status.admission === 'open'
        ? `Others join with:\n  folkmoot join ${status.invite}`
        : `This run is by ${status.admission}: let others in with "folkmoot invite", see "folkmoot invite --help".`,
  ];
}

function lineageText({ parent, header, round, carried, accounts }: LineageStatus): string {
  const brought =
    accounts === 0
      ? 'carries no credit'
      : `carries ${formatCount(carried)} credits of ${accounts} ${accounts === 1 ? 'account' : 'accounts'}`;
  return `forked from run ${parent.slice(0, 10)} at round ${round} (header ${header.slice(0, 10)}); ${brought}`;
}

function roundText({ round, phase, finished, phaseSinceMs }: RunStatus): string {
  const done = `${finished} ${finished === 1 ? 'round' : 'rounds'} finished`;
  const doing = PHASES[phase as keyof typeof PHASES];
  return phase === 'open'
    ? `${done}; round ${round} ${doing}`
    : `${done}; round ${round} ${doing} since ${localTime(phaseSinceMs)}`;
}

function termText({ term, members }: RunStatus): string {
  const holder = members.find(({ sequencer }) => sequencer);
  return `term ${term}${holder ? `, held by ${oneLine(holder.name)}` : ''}`;
}

function rowsText({ batchRows, microRows }: { batchRows: number; microRows: number }): string {
  return microRows < batchRows ? `${batchRows} rows, ${microRows} at a time,` : `${batchRows} rows`;
}

function engineText({ engine, tolerancePpm }: { engine: string; tolerancePpm: number }): string {
  return engine === 'exact'
    ? 'exact engine, the same bits everywhere'
    : `${engine} engine, tolerance ${percent(tolerancePpm)}`;
}

function memberTable({ members, lineage }: RunStatus, paint: ReturnType<typeof painter>): string[] {
  if (members.length === 0) return ['Nobody has joined yet.'];
  const name = Math.max(6, ...members.map((member) => displayWidth(member.name)));
  const state = Math.max(5, ...members.map((member) => member.state.length));
  const row = (who: readonly [string, string, string], credits: readonly string[], last: string) =>
    `${fit(who[0], name)}  ${who[1].slice(0, 10).padEnd(10)}  ${fit(who[2], state)}  ${credits
      .map((cell) => fit(cell, 8, 'right'))
      .join('  ')}  ${last}`;
  // What was brought has a column in a fork alone.
  const credits = [...(lineage ? (['carried'] as const) : []), 'earned', 'locked', 'unlocked'] as const;
  return [
    paint('dim', row(['member', 'device', 'state'], credits, 'audits')),
    ...members.map((member) =>
      row(
        [member.name, member.device, member.state],
        credits.map((kind) => formatCount(member[kind])),
        auditText(member) + (member.sequencer ? paint('dim', '  orders the log') : ''),
      ),
    ),
  ];
}

function auditText({ audits, forfeited }: MemberStatus): string {
  const parts = [
    `${audits.matched} matched`,
    ...(audits.refused > 0 ? [`${audits.refused} refused`] : []),
    ...(audits.undrawn > 0 ? [`${audits.undrawn} not drawn`] : []),
    ...(audits.open > 0 ? [`${audits.open} open`] : []),
    ...(forfeited > 0 ? [`${formatCount(forfeited)} credits forfeited`] : []),
  ];
  return parts.join(', ');
}

/** What a folder's files take; one that vanishes meanwhile counts nothing. */
export async function folderBytes(path: string): Promise<number> {
  const files = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    files
      .filter((file) => file.isFile())
      .map((file) =>
        stat(join(file.parentPath, file.name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
