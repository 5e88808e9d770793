/** An examination as one screen of text, at most 80 columns wide. */
import { formatBytes, formatCount } from '../ui/format.ts';
import { painter } from '../ui/paint.ts';
import { displayWidth, fit, oneLine, truncate } from '../ui/width.ts';
import type { EngineFinding, Examination, PresetForecast } from './examination.ts';

const COLUMNS = 80;
const LABEL = 11;

export function examinationLines(examination: Examination, color: boolean): string[] {
  const { machine, engines, measured, forecasts, problems, canRun } = examination;
  const ink = painter(color);
  const row = (label: string, text: string) => fit(label, LABEL) + truncate(oneLine(text), COLUMNS - LABEL);
  const engine = (label: string, finding: EngineFinding) =>
    fit(label, LABEL) + ink(finding.works ? 'green' : 'dim', truncate(tell(finding), COLUMNS - LABEL));
  return [
    row('machine', `${machine.platform}, Node ${machine.node}, ${machine.cores} threads of ${machine.processor}`),
    row('memory', `${formatBytes(machine.availableBytes)} available of ${formatBytes(machine.memoryBytes)}`),
    row(
      'disk',
      `${machine.diskFreeBytes === undefined ? '?' : formatBytes(machine.diskFreeBytes)} free at ${machine.home}`,
    ),
    engine('native', engines.native),
    engine('exact', engines.exact),
    engine('webgpu', engines.webgpu),
    engine('cuda', engines.cuda),
    ...(measured
      ? [row('measured', `${measured.engine}: ${measured.productGflops.toFixed(0)} GFLOP/s in matrix products`)]
      : []),
    ...(forecasts.length > 0 ? ['', ...table(forecasts, ink)] : []),
    '',
    ...problems.flatMap(({ problem, help, fatal }) => [
      ...wrap(fatal ? '✗' : '!', problem).map((line) => ink(fatal ? 'red' : 'yellow', line)),
      ...wrap('  →', help),
    ]),
    canRun
      ? ink('green', '✓ A member can run here: folkmoot up, folkmoot create, folkmoot join INVITE')
      : ink('red', '✗ No member can run here yet.'),
  ];
}

function tell(finding: EngineFinding): string {
  return oneLine(finding.works ? `works: ${finding.name}` : `no: ${finding.reason}`);
}

function table(forecasts: readonly PresetForecast[], ink: ReturnType<typeof painter>): string[] {
  const line = (cells: readonly string[]) =>
    fit(cells[0]!, LABEL) +
    cells
      .slice(1)
      .map((cell, i) => fit(cell, [12, 12, 14, 11][i]!, 'right'))
      .join('');
  return [
    ink('dim', `${line(['preset', 'parameters', 'tokens/s', 'a round', 'memory'])}`),
    ...forecasts.map(({ preset, parameters, tokensPerSecond, roundMs, memoryBytes, fits, recomputes }) => {
      const cells = [
        preset,
        formatCount(parameters),
        `~${formatCount(rounded(tokensPerSecond))}`,
        span(roundMs),
        formatBytes(memoryBytes),
      ];
      return `${line(cells)}  ${fits ? ink('green', recomputes ? 'fits, slower' : 'fits') : ink('red', 'does not fit')}`;
    }),
  ];
}

/** Two digits: a forecast knows no more. */
function rounded(value: number): number {
  return Number(value.toPrecision(2));
}

function span(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 100) return `~${Math.ceil(seconds)} s`;
  return seconds < 6000 ? `~${Math.round(seconds / 60)} min` : `~${(seconds / 3600).toFixed(1)} h`;
}

/** `mark`, then `text` beside it in lines of at most 80 columns. */
function wrap(mark: string, text: string): string[] {
  const margin = ' '.repeat(displayWidth(mark));
  const lines = [mark];
  for (const word of oneLine(text).split(' ')) {
    const longer = `${lines.at(-1)!} ${word}`;
    if (lines.at(-1) === mark || displayWidth(longer) <= COLUMNS) lines[lines.length - 1] = longer;
    else lines.push(`${margin} ${word}`);
  }
  return lines.map((line) => truncate(line, COLUMNS));
}
