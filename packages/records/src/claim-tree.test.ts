import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Hash, hashOf } from '@folkmoot/core';
import {
  childrenCount,
  childrenOf,
  claimTree,
  depthOf,
  isSpine,
  movesOfSearch,
  nodeHash,
  spineOf,
  TREE_WIDTH,
} from './claim-tree.ts';

const leavesOf = (count: number): Hash[] => Array.from({ length: count }, (_, i) => hashOf('leaf', count, i));

test('every leaf is reached from the root by the children of one node after another', () => {
  for (const count of [1, 2, 31, 32, 33, 64, 1000, 1024, 1025, 33_000]) {
    const tree = claimTree(leavesOf(count));
    assert.equal(tree.length, depthOf(count) + 1);
    assert.equal(tree[0]!.length, 1);
    for (const leaf of [0, count >> 1, count - 1]) {
      let node = 0;
      for (let level = 0; level < depthOf(count); level++) {
        const children = childrenOf(tree, level, node);
        assert.equal(children.length, childrenCount(count, level, node), `${count} leaves, level ${level}`);
        assert.equal(nodeHash(children), tree[level]![node]);
        node = Math.floor(leaf / TREE_WIDTH ** (depthOf(count) - 1 - level));
      }
      assert.equal(node, leaf);
    }
  }
});

test('a spine ties a tree to its last leaf, and nothing else passes for one', () => {
  for (const count of [1, 5, 32, 33, 700, 1025]) {
    const leaves = leavesOf(count);
    const spine = spineOf(claimTree(leaves));
    const last = leaves.at(-1)!;
    assert.ok(isSpine(spine, count, last));
    assert.ok(!isSpine(spine, count, leavesOf(2)[0]!));
    assert.ok(!isSpine(spine, count + TREE_WIDTH, last));
    assert.ok(!isSpine([...spine, [last]], count, last));
    for (const [level, children] of spine.entries()) {
      const forged = spine.map((list) => [...list]);
      forged[level]![children.length - 1] = hashOf('forged');
      assert.ok(!isSpine(forged, count, last), `forged at level ${level}`);
    }
  }
});

test('a search among a thousand takes four moves; never more than log₂ where there are sixteen or more', () => {
  assert.equal(movesOfSearch(1000), 4);
  for (let count = 16; count <= 2 ** 20; count = Math.ceil(count * 1.3))
    assert.ok(movesOfSearch(count) <= Math.ceil(Math.log2(count)), `${count}: ${movesOfSearch(count)}`);
});
