/** The three ways to report, on terminals and streams that only remember. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JsonLines } from './json-lines.ts';
import { LiveScreen, type Terminal } from './live-screen.ts';
import { PlainLog } from './plain-log.ts';
import type { ProgressState } from './progress-view.ts';

const state: ProgressState = {
  run: { name: 'village', id: 'ab12cd34ef560789' },
  phase: 'training',
  round: 3,
  roundsTarget: 8,
  elapsedMs: 65_000,
  trainLoss: [5.5, 4.25],
  holdoutLoss: [5.6],
  tokensPerSecond: 5210,
  sentBytes: 1_200_000,
  auditBytes: 0,
  trainSeconds: 0,
  auditSeconds: 0,
  cpuSeconds: 0,
  allReduceBytes: 2_400_000,
  members: [
    { name: 'ana', id: 'aa', role: 'honest', state: '', credits: 120, audits: { matched: 1, failed: 0, pending: 0 } },
  ],
};

test('plain: one line for each round and event, the sentences at the end', () => {
  const output = new Written();
  const log = new PlainLog(output);
  log.update();
  log.round(state);
  log.event('ana joined\u001b[2J.');
  log.finish({}, ['Done.']);
  assert.equal(
    output.text,
    '[1:05] round 3/8: train loss 4.250, hold-out 5.600, 5,210 tokens/s, sent 1.2 MB; credits: ana 120\n' +
      '- ana joined [2J.\nDone.\n',
  );
});

test('json: every line is an object, the last one the summary', () => {
  const output = new Written();
  const lines = new JsonLines(output);
  lines.update();
  lines.round(state);
  lines.event('ana joined.', { member: 'aa' });
  lines.finish({ rounds: 3 });
  const objects = output.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(objects.length, 3);
  assert.equal(objects[0].trainLoss, 4.25);
  assert.equal(objects[0].runId, state.run.id);
  assert.deepEqual(objects[1], { type: 'event', sentence: 'ana joined.', member: 'aa' });
  assert.deepEqual(objects[2], { rounds: 3 });
});

test('live: draws over itself, also after the window became narrower, and gives the cursor back once', () => {
  const terminal = new Screen(100, 30);
  const screen = new LiveScreen(terminal, { color: false });
  screen.update(state);
  terminal.resize(60, 30);
  assert.equal(terminal.visible().filter((line) => line.startsWith('village')).length, 1);
  terminal.resize(30, 30);
  assert.equal(terminal.visible().filter((line) => line.startsWith('village')).length, 1);
  screen.event('ana joined.');
  screen.finish({}, ['Done.']);
  screen.close();
  assert.equal(terminal.visible().filter((line) => line.startsWith('village')).length, 1);
  assert.deepEqual(
    terminal
      .visible()
      .slice(-3)
      .map((line) => line.trim()),
    ['', 'ana joined.', 'Done.'],
  );
  assert.deepEqual(terminal.text.match(/\[\?25./g), ['[?25l', '[?25h']);
});

test('live: a drawing stays lower than the terminal', () => {
  const terminal = new Screen(80, 5);
  const screen = new LiveScreen(terminal, { color: false });
  screen.update(state);
  terminal.resize(80, 5);
  terminal.resize(80, 5);
  screen.close();
  assert.equal(terminal.visible().length, 4);
});

test('live: many updates are few drawings', async () => {
  const terminal = new Screen(80, 30);
  const screen = new LiveScreen(terminal, { color: false, intervalMs: 20 });
  for (let i = 0; i < 1000; i++) screen.update({ ...state, round: i });
  await new Promise((resolve) => setTimeout(resolve, 60));
  screen.close();
  const drawings = terminal.text.match(/village/g)!.length;
  assert.ok(drawings >= 1 && drawings <= 3, `${drawings} drawings`);
});

class Written {
  text = '';

  write(text: string): void {
    this.text += text;
  }
}

const ESCAPE = '\u001b';
const PARTS = new RegExp(`${ESCAPE}\\[\\??\\d+[A-Za-z]|\\n|\\r|[^${ESCAPE}\\n\\r]+`, 'g');
const UP = new RegExp(`^${ESCAPE}\\[(\\d+)A$`);

/** A terminal that knows newline, return, cursor up and clear below, and wraps again when it is resized. */
class Screen extends Written implements Terminal {
  columns: number;
  rows: number;
  #listeners = new Set<() => void>();
  /** What was written as lines, with the width at which each now wraps taken from `columns`. */
  #lines: string[] = [''];

  constructor(columns: number, rows: number) {
    super();
    this.columns = columns;
    this.rows = rows;
  }

  override write(text: string): void {
    super.write(text);
    for (const [part] of text.matchAll(PARTS)) this.#take(part);
  }

  on(_event: 'resize', listener: () => void): void {
    this.#listeners.add(listener);
  }

  off(_event: 'resize', listener: () => void): void {
    this.#listeners.delete(listener);
  }

  resize(columns: number, rows: number): void {
    Object.assign(this, { columns, rows });
    for (const listener of this.#listeners) listener();
  }

  visible(): string[] {
    return this.#lines.slice(0, -1);
  }

  /** The cursor is always at the end of the last line: cursor up is always followed by clear below. */
  #take(part: string): void {
    const up = UP.exec(part);
    if (up !== null) this.#dropRows(Number(up[1]));
    else if (part === '\n') this.#lines.push('');
    else if (!part.startsWith(ESCAPE) && part !== '\r') this.#lines[this.#lines.length - 1] += part;
  }

  #dropRows(count: number): void {
    let left = count;
    this.#lines.pop();
    while (left > 0 && this.#lines.length > 0) left -= Math.max(1, Math.ceil(this.#lines.pop()!.length / this.columns));
    assert.equal(left, 0, 'the cursor stops at the beginning of a line');
    this.#lines.push('');
  }
}
