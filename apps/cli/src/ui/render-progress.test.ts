import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import type { ProgressView } from './progress-view.ts';
import { renderProgress } from './render-progress.ts';
import { displayWidth } from './width.ts';

const view: ProgressView = {
  run: { name: 'village', id: 'ab12cd34ef560789' },
  phase: 'training',
  round: 5,
  roundsTarget: 8,
  elapsedMs: 83_000,
  trainLoss: [5.55, 4.8, 4.1, 3.9],
  holdoutLoss: [5.6, 4.9, 4.3, 4.01],
  tokensPerSecond: 12_345.6,
  sentBytes: 1_234_567,
  auditBytes: 0,
  trainSeconds: 0,
  auditSeconds: 0,
  cpuSeconds: 0,
  allReduceBytes: 4.8e9,
  members: [
    member('ana', '0x21084e0b87ccffff', 'honest', 'training 40 %', 1320, [5, 0, 1]),
    member('ben', '0xb5015d16adab6f58', 'honest', 'training 55 %', 320, [3, 0, 0]),
    member('eve', '0x8c91420a5e621ad9', 'free-rider', 'refused', 0, [0, 2, 1]),
  ],
  events: ['Round 4 ended with 2 updates.', 'The update of eve was refused: segment 2 differs.'],
};

test('what a person sees', () => {
  const expected = `
village ab12cd34  round 5/8  training  1:23
train loss 5.550 → 3.900   █▅▂▁
hold-out   5.600 → 4.010   █▅▂▁
speed      12,346 tokens/s
sent       1.2 MB  (per-step all-reduce: 4.8 GB, 3,888 times as much)

  member  id        state                         credits  audits
● ana     0x21084e  training 40 %                   1,320  5 matched  1 open
● ben     0xb5015d  training 55 %                     320  3 matched
▲ eve     0x8c9142  free-rider: refused                 0  2 failed  1 open

  Round 4 ended with 2 updates.
  The update of eve was refused: segment 2 differs.`;
  assert.equal(`\n${renderProgress(view, { columns: 79, color: false }).join('\n')}`, expected);
});

test('before the first round there is nothing to divide by', () => {
  const start = { ...view, trainLoss: [], holdoutLoss: [], sentBytes: 0, tokensPerSecond: 0, members: [], events: [] };
  const { roundsTarget: _none, ...endless } = start;
  const expected = `
village ab12cd34  round 5  training  1:23
train loss –
hold-out   –
speed      0 tokens/s
sent       0 B  (per-step all-reduce: 4.8 GB)

  member  id        state                         credits  audits`;
  assert.equal(`\n${renderProgress(endless, { columns: 79, color: false }).join('\n')}`, expected);
});

test('colour changes nothing but colour', () => {
  for (const columns of [20, 40, 79, 200]) {
    const colored = renderProgress(view, { columns, color: true });
    assert.ok(colored.join('').includes('\u001b['));
    const plain = renderProgress(view, { columns, color: false });
    assert.deepEqual(
      colored.map((line) => stripVTControlCharacters(line).trimEnd()),
      plain,
    );
  }
});

test('no line is wider than the terminal', () => {
  const wide = { ...view, run: { name: '村'.repeat(60), id: view.run.id }, events: ['事'.repeat(150)] };
  for (let columns = 20; columns < 140; columns++) {
    for (const line of renderProgress(wide, { columns, color: false })) assert.ok(displayWidth(line) <= columns, line);
  }
});

test('names and sentences of peers cannot draw', () => {
  const hostile = '\u001b[2J\u0007a\nb\u202e\r';
  const lines = renderProgress(
    {
      ...view,
      members: [member(hostile, hostile, 'honest', hostile, 1, [0, 0, 0])],
      events: [hostile],
      phase: hostile,
    },
    { columns: 79, color: false },
  );
  assert.doesNotMatch(lines.join(''), /[\p{Cc}\p{Cf}]/u);
});

function member(name: string, id: string, role: string, state: string, credits: number, audits: number[]) {
  const [matched, failed, pending] = audits as [number, number, number];
  return { name, id, role, state, credits, audits: { matched, failed, pending } };
}
