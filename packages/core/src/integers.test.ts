import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { integerSqrt, isTwoThirds, lowerMedian } from './integers.ts';

test('the square root is the largest integer whose square is at most the value', () => {
  const check = (value: bigint) => {
    const root = integerSqrt(value);
    assert.ok(root * root <= value && value < (root + 1n) * (root + 1n), String(value));
  };
  for (let value = 0n; value < 300n; value++) check(value);
  fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2n ** 400n }), check));
  for (const root of [2n ** 26n, 2n ** 53n, 2n ** 64n - 1n, 10n ** 40n])
    for (const value of [root * root - 1n, root * root, root * root + 1n]) check(value);
  assert.throws(() => integerSqrt(-1n), RangeError);
});

test('the lower median has as many below it as a sorted list says', () => {
  assert.equal(lowerMedian([3n]), 3n);
  assert.equal(lowerMedian([4n, 1n]), 1n);
  assert.equal(lowerMedian([10n, 9n, 2n, 100n]), 9n);
  fc.assert(
    fc.property(fc.array(fc.bigInt(), { minLength: 1 }), (values) => {
      const median = lowerMedian(values);
      const below = values.filter((value) => value < median).length;
      const upTo = values.filter((value) => value <= median).length;
      const place = (values.length - 1) >> 1;
      assert.ok(below <= place && place < upTo);
    }),
  );
  assert.throws(() => lowerMedian([]), RangeError);
});

test('two thirds means more than two thirds', () => {
  const quorums = [1, 2, 3, 4, 5, 6, 7, 9, 16].map((seats) => {
    let votes = 0;
    while (!isTwoThirds(votes, seats)) votes++;
    return votes;
  });
  assert.deepEqual(quorums, [1, 2, 3, 3, 4, 5, 5, 7, 11]);
  assert.equal(isTwoThirds(0, 0), false);
});
