/** Progress where lines cannot be redrawn: one line for each round and each event. */
import { formatBytes, formatCount, formatDuration, formatLoss } from './format.ts';
import type { ProgressState } from './progress-view.ts';
import type { Report } from './report.ts';
import { oneLine } from './width.ts';

export class PlainLog implements Report {
  readonly #output: { write(text: string): unknown };

  constructor(output: { write(text: string): unknown }) {
    this.#output = output;
  }

  update(): void {}

  round(state: ProgressState): void {
    this.#output.write(`${roundLine(state)}\n`);
  }

  event(sentence: string): void {
    this.#output.write(`- ${oneLine(sentence)}\n`);
  }

  finish(_summary: object, sentences: readonly string[]): void {
    for (const sentence of sentences) this.#output.write(`${sentence}\n`);
  }

  close(): void {}
}

/** `[1:05] round 3/8: train loss 3.512, hold-out 3.601, 5,210 tokens/s, sent 1.2 MB; ana 120, ben 120, eve 0`. */
export function roundLine(state: ProgressState): string {
  const target = state.roundsTarget === undefined ? '' : `/${state.roundsTarget}`;
  const figures = [
    `train loss ${formatLoss(state.trainLoss.at(-1))}`,
    `hold-out ${formatLoss(state.holdoutLoss.at(-1))}`,
    `${formatCount(state.tokensPerSecond)} tokens/s`,
    `sent ${formatBytes(state.sentBytes)}`,
  ];
  const credits = state.members.map((member) => `${oneLine(member.name)} ${formatCount(member.credits)}`);
  const tail = credits.length === 0 ? '' : `; credits: ${credits.join(', ')}`;
  return `[${formatDuration(state.elapsedMs)}] round ${state.round}${target}: ${figures.join(', ')}${tail}`;
}
