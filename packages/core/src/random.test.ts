import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { toHex } from './bytes.ts';
import { hashOf } from './hash.ts';
import { below, permutation, randomBytes, SeededRandom, shuffled } from './random.ts';

test('the stream of a seed is frozen: every draw of every run depends on it', () => {
  const random = new SeededRandom('frozen');
  assert.deepEqual(
    Array.from({ length: 10 }, () => random.uint32()),
    [
      1904231101, 271122603, 3943198952, 198635711, 3832987930, 3242439398, 1650016104, 2594780876, 4066956908,
      679994429,
    ],
  );
  assert.equal(toHex(randomBytes(new SeededRandom(hashOf('seed')), 16)), '5b1a81e62d30510c34104eb4f608b391');
  assert.deepEqual(shuffled(new SeededRandom('frozen'), [1, 2, 3, 4, 5, 6, 7, 8]), [5, 1, 7, 8, 2, 3, 4, 6]);
  assert.deepEqual(
    Array.from({ length: 12 }, (_, i) => permutation(hashOf('rows'), 12)(i)),
    [7, 10, 8, 9, 2, 4, 1, 11, 5, 3, 6, 0],
  );
});

test('a hash as a seed is its bytes, not its text', () => {
  const hash = hashOf('seed');
  assert.notEqual(new SeededRandom(hash).uint32(), new SeededRandom(hash.toUpperCase()).uint32());
});

test('numbers below a bound are below it, and all come up about as often', () => {
  const random = new SeededRandom('even');
  const counts = new Array<number>(7).fill(0);
  for (let i = 0; i < 14_000; i++) counts[below(random, 7)]!++;
  for (const count of counts) assert.ok(Math.abs(count - 2000) < 200, String(counts));
  assert.equal(below(random, 1), 0);
  for (const bound of [0, -1, 1.5, 2 ** 32 + 1]) assert.throws(() => below(random, bound), RangeError);
});

test('a bound that does not divide 2^32 brings no bias: what lies beyond the last multiple is drawn again', () => {
  const bound = 3 * 2 ** 30;
  const values = [bound, 2 ** 32 - 1, 5];
  assert.equal(below({ uint32: () => values.shift()! }, bound), 5);
});

test('shuffling keeps every item and leaves the list alone', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.string(), (items, seed) => {
      const before = [...items];
      assert.deepEqual([...shuffled(new SeededRandom(seed), items)].sort(), [...items].sort());
      assert.deepEqual(items, before);
    }),
  );
});

test('a permutation takes every index to another one, for every size and key', () => {
  const sizes = fc.oneof(
    fc.integer({ min: 1, max: 300 }),
    fc.constantFrom(1, 2, 3, 4, 5, 15, 16, 17, 1023, 1024, 1025),
  );
  fc.assert(
    fc.property(sizes, fc.string(), (size, key) => {
      const at = permutation(hashOf(key), size);
      const images = new Set(Array.from({ length: size }, (_, i) => at(i)));
      assert.equal(images.size, size);
      for (const image of images) assert.ok(Number.isInteger(image) && image >= 0 && image < size);
    }),
    { numRuns: 60 },
  );
});

test('a permutation of the largest size stays inside, and keys differ', () => {
  const size = 2 ** 30;
  const [a, b] = [permutation(hashOf('a'), size), permutation(hashOf('b'), size)];
  const seen = new Set<number>();
  for (let i = 0; i < 1000; i++) {
    const image = a(size - 1 - i);
    assert.ok(image >= 0 && image < size && !seen.has(image));
    seen.add(image);
  }
  assert.notEqual(a(0), b(0));
  for (const index of [-1, size, 0.5]) assert.throws(() => a(index), RangeError);
  for (const wrong of [0, 2 ** 30 + 1, 1.5]) assert.throws(() => permutation(hashOf('a'), wrong), RangeError);
});
