/** Progress on a terminal, redrawn in place. Gives the cursor back however the process ends. */
import { stripVTControlCharacters } from 'node:util';
import type { ProgressState } from './progress-view.ts';
import { renderProgress } from './render-progress.ts';
import type { Report } from './report.ts';
import { displayWidth, oneLine } from './width.ts';

/** The part of a terminal stream that is used here. */
export interface Terminal {
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
  on(event: 'resize', listener: () => void): unknown;
  off(event: 'resize', listener: () => void): unknown;
}

export interface LiveScreenOptions {
  readonly color: boolean;
  /** Shortest time between two drawings, milliseconds. Default 100: faster only costs processor time. */
  readonly intervalMs?: number;
}

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_BELOW = '\u001b[0J';
const EVENTS_SHOWN = 6;

export class LiveScreen implements Report {
  readonly #terminal: Terminal;
  readonly #color: boolean;
  readonly #intervalMs: number;
  readonly #draw = () => this.#redraw();
  readonly #restore = () => this.close();
  #state: ProgressState | undefined;
  #events: string[] = [];
  /** Columns of each line that is on the terminal now. */
  #drawnColumns: number[] = [];
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(terminal: Terminal, options: LiveScreenOptions) {
    this.#terminal = terminal;
    this.#color = options.color;
    this.#intervalMs = options.intervalMs ?? 100;
    terminal.write(HIDE_CURSOR);
    terminal.on('resize', this.#draw);
    process.on('exit', this.#restore);
  }

  update(state: ProgressState): void {
    this.#state = state;
    this.#drawSoon();
  }

  round(state: ProgressState): void {
    this.update(state);
  }

  event(sentence: string): void {
    this.#events = [...this.#events, oneLine(sentence)].slice(-EVENTS_SHOWN);
    this.#drawSoon();
  }

  finish(_summary: object, sentences: readonly string[]): void {
    this.close();
    for (const sentence of sentences) this.#terminal.write(`${sentence}\n`);
  }

  /** Leaves the last drawing on the terminal. */
  close(): void {
    if (this.#closed) return;
    this.#redraw();
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#terminal.off('resize', this.#draw);
    process.off('exit', this.#restore);
    this.#terminal.write(SHOW_CURSOR);
  }

  #drawSoon(): void {
    if (this.#closed || this.#timer !== undefined) return;
    this.#timer = setTimeout(this.#draw, this.#intervalMs);
    // The screen alone does not keep the process running.
    this.#timer.unref();
  }

  #redraw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#closed || this.#state === undefined) return;
    const { columns = 80, rows = 24 } = this.#terminal;
    const view = { ...this.#state, events: this.#events };
    // A drawing higher than the terminal would scroll, and the next one start in the wrong place.
    const lines = renderProgress(view, { columns: Math.max(20, columns - 1), color: this.#color }).slice(0, rows - 1);
    // A terminal that became narrower has wrapped the former lines.
    const height = this.#drawnColumns.reduce((sum, drawn) => sum + Math.max(1, Math.ceil(drawn / columns)), 0);
    const up = height === 0 ? '' : `\u001b[${height}A`;
    this.#terminal.write(`${up}\r${CLEAR_BELOW}${lines.map((line) => `${line}\n`).join('')}`);
    this.#drawnColumns = lines.map((line) => displayWidth(stripVTControlCharacters(line)));
  }
}
