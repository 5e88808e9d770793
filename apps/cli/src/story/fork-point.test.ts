import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf, isWorldError } from '@folkmoot/core';
import { forkPoint } from './fork-point.ts';
import type { RoundFile } from './round-files.ts';
import type { Story } from './story.ts';

const [first, third, signed] = [hashOf('first'), hashOf('third'), hashOf('signed')];

/** Round 1 finished, 2 void, 3 finished, 4 signed and not sealed. */
const story = storyOf([
  { number: 1, signed: [{ header: first }], end: { kind: 'finalized', header: first } },
  { number: 2, signed: [], end: { kind: 'void', reason: 'nobody revealed an update' } },
  { number: 3, signed: [{ header: third }], end: { kind: 'finalized', header: third } },
  { number: 4, signed: [{ header: signed }] },
]);

function storyOf(files: readonly object[]): Story {
  const all = new Map((files as RoundFile[]).map((file) => [file.number, file]));
  return { rounds: { all }, state: { run: hashOf('run') } } as unknown as Story;
}

test('a finished round is named by its number or its header; without either it is the last', () => {
  assert.deepEqual(forkPoint(story), { round: 3, header: third });
  assert.deepEqual(forkPoint(story, '1'), { round: 1, header: first });
  assert.deepEqual(forkPoint(story, first.slice(0, 8)), { round: 1, header: first });
});

test('what is not finished, not sealed or not there is refused, and says why', () => {
  for (const [at, code, message] of [
    ['2', 'round-unfinished', /it was void \(nobody revealed an update\)/],
    ['4', 'round-unfinished', /it has not ended/],
    ['5', 'round-unfinished', /it has not begun/],
    [signed.slice(0, 10), 'header-unsealed', /no quorum has sealed it/],
    [hashOf('other').slice(0, 10), 'no-such-header', /no header/],
    ['', 'no-such-header', /no header/],
  ] as const)
    assert.throws(
      () => forkPoint(story, at),
      (error) => isWorldError(error, code) && message.test(error.message),
      at,
    );
  assert.throws(
    () => forkPoint(storyOf([])),
    (error) => isWorldError(error, 'nothing-to-fork'),
  );
});
