/** A program's summary as lines of text. */
import type { ProgramSummary, TensorSpec } from '@folkmoot/tensor';
import { formatBytes, formatCount } from './format.ts';
import { oneLine } from './width.ts';

/** A training program has a gradient for each parameter: more than this is cut out of the middle. */
const FIRST_SHOWN = 8;
const LAST_SHOWN = 4;

export function programLines(summary: ProgramSummary): string[] {
  const { id, bytes, inputs, outputs } = summary.program;
  return [
    `program    ${id}`,
    `name       ${oneLine(summary.name) || '–'}, by ${oneLine(summary.producer) || 'unknown'}`,
    `size       ${formatBytes(bytes.length)}, of which constants ${formatBytes(summary.constantBytes)}`,
    '',
    ...tensorLines('inputs', inputs),
    ...tensorLines('outputs', outputs),
    `operators  ${formatCount(summary.nodes)} nodes, ${summary.operators.size} kinds`,
    ...[...summary.operators].map(([type, count]) => `  ${formatCount(count).padStart(7)}  ${type}`),
  ];
}

function tensorLines(title: string, specs: readonly TensorSpec[]): string[] {
  const hidden = Math.max(0, specs.length - FIRST_SHOWN - LAST_SHOWN);
  const column = Math.max(0, ...specs.map((spec) => spec.name.length));
  const lines = specs.map(
    ({ name, dtype, shape }) => `  ${oneLine(name).padEnd(column)}  ${dtype.padEnd(7)}  [${shape.join(', ')}]`,
  );
  if (hidden > 0) lines.splice(FIRST_SHOWN, hidden, `  ... ${hidden} more (all with --json)`);
  const elements = specs.reduce((sum, spec) => sum + spec.shape.reduce((product, size) => product * size, 1), 0);
  return [`${title.padEnd(9)}  ${specs.length}, together ${formatCount(elements)} numbers`, ...lines, ''];
}
