/** Where progress goes: a live screen, plain lines, or JSON lines, behind one interface. */
import type { Invocation } from '../invocation.ts';
import { JsonLines } from './json-lines.ts';
import { LiveScreen } from './live-screen.ts';
import { PlainLog } from './plain-log.ts';
import type { ProgressState } from './progress-view.ts';

export interface Report {
  /** The state as it is now. Cheap: call it as often as something changes. */
  update(state: ProgressState): void;
  /** A round has ended, with `state` as of then. Once for each round. */
  round(state: ProgressState): void;
  /** Something that a person should know. `facts` are for scripts. */
  event(sentence: string, facts?: Readonly<Record<string, unknown>>): void;
  /** Ends the report and gives the terminal back: `summary` for scripts, `sentences` for people. */
  finish(summary: object, sentences: readonly string[]): void;
  /** Gives the terminal back without a summary. Safe to call twice, and after `finish`. */
  close(): void;
}

/** The report that fits the invocation: JSON where asked, live on a terminal, plain lines elsewhere. */
export function reportFor(call: Pick<Invocation, 'json' | 'live' | 'color'>): Report {
  if (call.json) return new JsonLines(process.stdout);
  if (call.live) return new LiveScreen(process.stdout, { color: call.color });
  return new PlainLog(process.stdout);
}
