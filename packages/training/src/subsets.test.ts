import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { binomial, placesOf, rankBits, rankOf } from './subsets.ts';

test('ranks are the order of a slow list of all sets', () => {
  for (const [n, k] of [
    [1, 1],
    [5, 1],
    [6, 3],
    [9, 4],
    [7, 7],
  ]) {
    const sets = allSets(n, k).sort((a, b) => compareReversed(a, b));
    assert.equal(binomial(n, k), BigInt(sets.length));
    assert.equal(2 ** rankBits(n, k) >= sets.length && 2 ** rankBits(n, k) < 2 * sets.length, true);
    for (const [rank, places] of sets.entries()) {
      assert.equal(rankOf(places), BigInt(rank));
      assert.deepEqual(read(BigInt(rank), n, k), places);
    }
  }
});

test('large sets come back from their rank, which is below their number', () => {
  const sets = fc.tuple(fc.integer({ min: 1, max: 128 }), fc.integer({ min: 128, max: 4096 }));
  fc.assert(
    fc.property(sets, fc.infiniteStream(fc.nat()), ([k, n], numbers) => {
      const chosen = new Set<number>();
      for (const number of numbers) {
        // A nat is often small: places at both ends occur.
        chosen.add(chosen.size % 2 === 0 ? number % n : n - 1 - (number % n));
        if (chosen.size === k) break;
      }
      const places = [...chosen].sort((a, b) => a - b);
      const rank = rankOf(places);
      assert.ok(rank < binomial(n, k) && rank < 1n << BigInt(rankBits(n, k)));
      assert.deepEqual(read(rank, n, k), places);
    }),
    { numRuns: 50 },
  );
});

test('the largest rank is the last places, and one more is no set', () => {
  const largest = binomial(4096, 64) - 1n;
  assert.deepEqual(
    read(largest, 4096, 64),
    Array.from({ length: 64 }, (_, i) => 4032 + i),
  );
  assert.throws(() => read(largest + 1n, 4096, 64));
  assert.equal(rankBits(4096, 64), 472);
});

function read(rank: bigint, n: number, k: number): number[] {
  const into = new Uint16Array(k + 2);
  placesOf(rank, n, k, into, 1);
  assert.equal(into[0] + into[k + 1], 0, 'only its own entries are written');
  return [...into.subarray(1, k + 1)];
}

function allSets(n: number, k: number): number[][] {
  if (k === 0) return [[]];
  if (n < k) return [];
  return [...allSets(n - 1, k), ...allSets(n - 1, k - 1).map((set) => [...set, n - 1])];
}

/** Sets in the order of their largest places, then of the next ones. */
function compareReversed(a: readonly number[], b: readonly number[]): number {
  for (let i = a.length - 1; i >= 0; i--) if (a[i] !== b[i]) return a[i] - b[i];
  return 0;
}
