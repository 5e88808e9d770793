import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Hash, hashOf } from './hash.ts';
import { merkleProof, merkleRoot, merkleVerify } from './merkle.ts';

const leavesOf = (count: number) => Array.from({ length: count }, (_, i) => hashOf('leaf', i));

test('the root is that of a slow twin', () => {
  for (let count = 0; count <= 40; count++) assert.equal(merkleRoot(leavesOf(count)), naiveRoot(leavesOf(count)));
  assert.equal(merkleRoot([]), '128ef388b2ca0bdf9d5fd1fc8f381a0b11271b729ce04b9b464ad0a9f3114397');
  assert.equal(merkleRoot(leavesOf(5)), '46ecdda70d6e0297bf554d5e816c1c6e4b2e4889fd92a9211fde8c624c877962');
});

test('every leaf is proven at its place, and nowhere else', () => {
  for (const count of [1, 2, 3, 4, 5, 7, 8, 9, 16, 17]) {
    const leaves = leavesOf(count);
    const root = merkleRoot(leaves);
    for (const [index, leaf] of leaves.entries()) {
      const proof = merkleProof(leaves, index);
      for (let other = -1; other <= count; other++)
        assert.equal(merkleVerify(root, count, other, leaf, proof), other === index);
      for (const wrong of [count - 1, count + 1, 2 * count])
        assert.equal(merkleVerify(root, wrong, index, leaf, proof), false);
    }
  }
});

test('a proof with anything changed proves nothing', () => {
  const scenario = fc.integer({ min: 2, max: 33 }).chain((count) =>
    fc.record({
      count: fc.constant(count),
      index: fc.nat(count - 1),
      at: fc.nat(6),
      how: fc.constantFrom(0, 1, 2, 3, 4),
    }),
  );
  fc.assert(
    fc.property(scenario, ({ count, index, at, how }) => {
      const leaves = leavesOf(count);
      const proof: (Hash | null)[] = merkleProof(leaves, index);
      const place = at % proof.length;
      const former = proof[place]!;
      if (how === 0) proof[place] = former === null ? hashOf('x') : null;
      else if (how === 1) proof[place] = hashOf('x');
      else if (how === 2) proof.splice(place, 1);
      else if (how === 3) proof.push(null);
      else proof.push(hashOf('x'));
      assert.equal(merkleVerify(merkleRoot(leaves), count, index, leaves[index]!, proof), false);
    }),
  );
});

test('an inner node never passes for a leaf, and no two lists share a root', () => {
  const [a, b, c] = leavesOf(3) as [Hash, Hash, Hash];
  const roots = [[], [a], [b], [a, b], [b, a], [a, b, c], [a, b, c, c], [a, a]].map((leaves) => merkleRoot(leaves));
  assert.equal(new Set(roots).size, roots.length);
  const inner = sha(1, sha(0, a), sha(0, b));
  assert.notEqual(merkleRoot([inner, c]), merkleRoot([a, b, c]));
  assert.equal(merkleVerify(merkleRoot([a, b, c]), 2, 0, inner, [sha(0, c)]), false);
});

test('there is no proof of a leaf that is not there', () => {
  for (const index of [-1, 3, 0.5]) assert.throws(() => merkleProof(leavesOf(3), index), RangeError);
});

/** By the definition: split at the largest power of two below the count. */
function naiveRoot(leaves: Hash[]): Hash {
  return hashOf('merkle-root', leaves.length, leaves.length === 0 ? hashOf('merkle-empty') : naiveTop(leaves));
}

function naiveTop(leaves: Hash[]): Hash {
  if (leaves.length === 1) return sha(0, leaves[0]!);
  let half = 1;
  while (2 * half < leaves.length) half *= 2;
  return sha(1, naiveTop(leaves.slice(0, half)), naiveTop(leaves.slice(half)));
}

function sha(tag: number, ...hashes: Hash[]): Hash {
  const hash = createHash('sha256').update(Uint8Array.of(tag));
  for (const each of hashes) hash.update(Buffer.from(each, 'hex'));
  return hash.digest('hex');
}
