/** What was read, for people. */
import { formatBytes } from '@folkmoot/core';
import { type ReadSummary, SKIP_REASONS, type SkipReason } from './documents.ts';

/** Lines for the terminal, without colour: what was read, under which licences, what was left out and why. */
export function describeSummary(summary: ReadSummary): string[] {
  const lines = [`Read ${count(summary.documents, 'document')}, ${formatBytes(summary.bytes)}.`];
  if (summary.licences.size > 0) {
    const licences = [...summary.licences].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    lines.push(`Licences: ${licences.map(([licence, bytes]) => `${licence} ${formatBytes(bytes)}`).join(', ')}.`);
  }
  for (const reason of Object.keys(SKIP_REASONS) as SkipReason[]) {
    const skipped = summary.skipped.get(reason);
    if (!skipped) continue;
    const example = skipped.count === 1 ? skipped.first : `${skipped.first}, …`;
    lines.push(`Skipped ${skipped.count} (${SKIP_REASONS[reason]}): ${example}`);
  }
  return lines;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
