/** The live view of a run as lines of text: a pure function, so that a test can read what a person sees. */
import { formatBytes, formatCount, formatDuration, formatLoss, sparkline } from './format.ts';
import { type Ink, painter } from './paint.ts';
import type { MemberView, ProgressState, ProgressView } from './progress-view.ts';
import { displayWidth, fit, oneLine, truncate } from './width.ts';

export interface RenderOptions {
  /** Width of the terminal, at least 20. No line is wider. */
  readonly columns: number;
  readonly color: boolean;
}

/** A piece of a line: its text decides the width, its ink only the look. */
type Piece = readonly [text: string, ink?: Ink];

const ID_COLUMNS = 8;

export function renderProgress(view: ProgressView, { columns, color }: RenderOptions): string[] {
  const lines: Piece[][] = [
    ...headLines(view, columns),
    [],
    ...memberLines(view.members, columns),
    ...(view.events.length === 0 ? [] : [[]]),
    ...view.events.map((sentence): Piece[] => [['  '], [oneLine(sentence), 'dim']]),
  ];
  return lines.map((pieces) => drawLine(pieces, columns, color));
}

function headLines(view: ProgressState, columns: number): Piece[][] {
  const target = view.roundsTarget === undefined ? '' : `/${view.roundsTarget}`;
  return [
    [
      [oneLine(view.run.name), 'bold'],
      [` ${view.run.id.slice(0, ID_COLUMNS)}`, 'dim'],
      [`  round ${view.round}${target}  `],
      [oneLine(view.phase), 'cyan'],
      [`  ${formatDuration(view.elapsedMs)}`],
    ],
    lossLine('train loss', view.trainLoss, columns),
    lossLine('hold-out', view.holdoutLoss, columns),
    [['speed     ', 'dim'], [` ${formatCount(view.tokensPerSecond)} tokens/s`]],
    trafficLine(view),
  ];
}

function lossLine(label: string, losses: readonly number[], columns: number): Piece[] {
  const course = losses.length === 0 ? '–' : `${formatLoss(losses[0])} → ${formatLoss(losses.at(-1))}`;
  return [[fit(label, 10), 'dim'], [` ${fit(course, 16)}`], [sparkline(losses, Math.min(60, columns - 28)), 'green']];
}

function trafficLine({ sentBytes, allReduceBytes }: ProgressState): Piece[] {
  const factor = sentBytes > 0 ? allReduceBytes / sentBytes : 0;
  const comparison = factor >= 1 ? `, ${formatCount(factor)} times as much` : '';
  return [
    ['sent      ', 'dim'],
    [` ${formatBytes(sentBytes)}`],
    [`  (per-step all-reduce: ${formatBytes(allReduceBytes)}${comparison})`, 'dim'],
  ];
}

function memberLines(members: readonly MemberView[], columns: number): Piece[][] {
  const name = Math.max(6, ...members.map((member) => displayWidth(oneLine(member.name))));
  const nameColumns = Math.min(name, 16);
  // What is left after the mark, the id, the credits, the audits and the gaps.
  const stateColumns = Math.max(8, Math.min(32, columns - nameColumns - 46));
  const head = `  ${fit('member', nameColumns)}  ${fit('id', ID_COLUMNS)}  ${fit('state', stateColumns)}  ${fit('credits', 8, 'right')}  audits`;
  return [[[head, 'dim']], ...members.map((member) => memberLine(member, nameColumns, stateColumns))];
}

function memberLine(member: MemberView, nameColumns: number, stateColumns: number): Piece[] {
  const isHonest = member.role === 'honest';
  const state = isHonest ? member.state : `${member.role}: ${member.state}`;
  return [
    isHonest ? ['● ', 'green'] : ['▲ ', 'yellow'],
    [fit(oneLine(member.name), nameColumns)],
    [`  ${fit(oneLine(member.id).slice(0, ID_COLUMNS), ID_COLUMNS)}`, 'dim'],
    [`  ${fit(oneLine(state), stateColumns)}`],
    [`  ${fit(formatCount(member.credits), 8, 'right')}`],
    ...auditPieces(member.audits),
  ];
}

function auditPieces({ matched, failed, pending }: MemberView['audits']): Piece[] {
  const pieces: Piece[] = [];
  if (matched > 0) pieces.push([`  ${matched} matched`, 'green']);
  if (failed > 0) pieces.push([`  ${failed} failed`, 'red']);
  if (pending > 0) pieces.push([`  ${pending} open`, 'dim']);
  return pieces;
}

/** Cuts at the terminal's edge, then paints: an escape sequence must not be cut in two. */
function drawLine(pieces: readonly Piece[], columns: number, color: boolean): string {
  const paint = painter(color);
  let left = columns;
  let line = '';
  for (const [text, ink] of pieces) {
    const cut = truncate(text, left);
    line += ink === undefined || cut === '' ? cut : paint(ink, cut);
    left -= displayWidth(cut);
    if (cut !== text) break;
  }
  return line.trimEnd();
}
