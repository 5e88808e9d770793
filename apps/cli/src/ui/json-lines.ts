/** Progress for scripts: one JSON object per line; the last one is the summary. */
import type { ProgressState } from './progress-view.ts';
import type { Report } from './report.ts';

export class JsonLines implements Report {
  readonly #output: { write(text: string): unknown };

  constructor(output: { write(text: string): unknown }) {
    this.#output = output;
  }

  /** Nothing: scripts get rounds and events, not every change. */
  update(): void {}

  round(state: ProgressState): void {
    const { run, phase: _phase, trainLoss, holdoutLoss, ...rest } = state;
    const losses = { trainLoss: trainLoss.at(-1) ?? null, holdoutLoss: holdoutLoss.at(-1) ?? null };
    this.#print({ type: 'round', runId: run.id, ...rest, ...losses });
  }

  event(sentence: string, facts: Readonly<Record<string, unknown>> = {}): void {
    this.#print({ type: 'event', sentence, ...facts });
  }

  finish(summary: object): void {
    this.#print(summary);
  }

  close(): void {}

  #print(value: object): void {
    this.#output.write(`${JSON.stringify(value)}\n`);
  }
}
