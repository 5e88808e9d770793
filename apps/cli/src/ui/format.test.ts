import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, formatCount, formatDuration, formatLoss, sparkline } from './format.ts';
import { displayWidth, fit, oneLine, truncate } from './width.ts';

test('numbers', () => {
  assert.deepEqual([0, 999, 1000, 1234567].map(formatCount), ['0', '999', '1,000', '1,234,567']);
  assert.deepEqual([0, 999, 1000, 9949, 9950, 999_499, 999_500, 4.8e9, 2e17].map(formatBytes), [
    '0 B',
    '999 B',
    '1.0 kB',
    '9.9 kB',
    '10 kB',
    '999 kB',
    '1.0 MB',
    '4.8 GB',
    '200 PB',
  ]);
  assert.deepEqual([0, 7999, 65_000, 3_600_000, 45_296_000].map(formatDuration), [
    '0:00',
    '0:07',
    '1:05',
    '1:00:00',
    '12:34:56',
  ]);
  assert.deepEqual([formatLoss(undefined), formatLoss(3)], ['–', '3.000']);
});

test('sparklines keep the ends, the extremes of what is shown, and the width', () => {
  assert.equal(sparkline([], 10), '');
  assert.equal(sparkline([2], 10), '▄');
  assert.equal(sparkline([8, 4, 1], 10), '█▄▁');
  assert.equal(sparkline([1, Number.NaN, 2], 10), '▁ █');
  const long = Array.from({ length: 1000 }, (_, i) => 1000 - i);
  assert.equal(sparkline(long, 8), '█▇▆▅▄▃▂▁');
  assert.equal(sparkline(long, 1), '▄');
  assert.equal(sparkline(long, 0), '');
});

test('widths', () => {
  assert.equal(displayWidth('añe\u0301日本🙂'), 3 + 4 + 2);
  assert.equal(fit('abc', 5), 'abc  ');
  assert.equal(fit('abc', 5, 'right'), '  abc');
  assert.equal(fit('abcdef', 5), 'abcd…');
  assert.equal(fit('日本語', 5), '日本…');
  assert.equal(fit('日本語', 4), '日… ');
  assert.equal(truncate('abc', 0), '');
  assert.equal(oneLine(' a\u001b[31m\nb\t'), 'a [31m b');
});
