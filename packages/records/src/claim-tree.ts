/**
 * What a party to a dispute claims, as a tree: one hash for each step or operator, 32 of them under one node.
 *
 * A search goes from the root to one leaf by showing the children of one node at a time, so that a thousand leaves take two
 * rounds of question and answer. Whoever has shown the root can show nothing else below it.
 */
import { type Hash, hashOf } from '@folkmoot/core';

/** Children of a node. */
export const TREE_WIDTH = 32;
/** Four levels. */
export const MAX_LEAVES = TREE_WIDTH ** 4;

/** All levels, the root's node first and the leaves last. */
export type ClaimTree = readonly (readonly Hash[])[];

/** Levels below the root's node: at least 1. `leaves` from 1 to `MAX_LEAVES`. */
export function depthOf(leaves: number): number {
  let depth = 1;
  for (let reach = TREE_WIDTH; reach < leaves; reach *= TREE_WIDTH) depth++;
  return depth;
}

/** How many children node `node` of `level` has (the root's node is 0 of level 0). */
export function childrenCount(leaves: number, level: number, node: number): number {
  let below = leaves;
  for (let at = depthOf(leaves); at > level + 1; at--) below = Math.ceil(below / TREE_WIDTH);
  return Math.max(0, Math.min(TREE_WIDTH, below - node * TREE_WIDTH));
}

export function nodeHash(children: readonly Hash[]): Hash {
  return hashOf('claim-node', ...children);
}

export function claimTree(leaves: readonly Hash[]): ClaimTree {
  const levels: Hash[][] = [[...leaves]];
  for (let depth = depthOf(leaves.length); depth > 0; depth--) {
    const below = levels[0]!;
    const parents = Array.from({ length: Math.ceil(below.length / TREE_WIDTH) }, (_, i) =>
      nodeHash(below.slice(i * TREE_WIDTH, (i + 1) * TREE_WIDTH)),
    );
    levels.unshift(parents);
  }
  return levels;
}

/** The children of node `node` of `level`. */
export function childrenOf(tree: ClaimTree, level: number, node: number): Hash[] {
  return tree[level + 1]!.slice(node * TREE_WIDTH, (node + 1) * TREE_WIDTH);
}

/** The children of the last node of every level: what ties a tree to its last leaf. */
export function spineOf(tree: ClaimTree): Hash[][] {
  return tree.slice(0, -1).map((nodes, level) => childrenOf(tree, level, nodes.length - 1));
}

/** Whether `spine` is that of a tree of so many leaves which ends in `last`. */
export function isSpine(spine: readonly (readonly Hash[])[], leaves: number, last: Hash): boolean {
  const depth = depthOf(leaves);
  if (spine.length !== depth) return false;
  let node = 0;
  for (const [level, children] of spine.entries()) {
    const count = childrenCount(leaves, level, node);
    if (children.length !== count) return false;
    node = node * TREE_WIDTH + count - 1;
    const end = children[count - 1]!;
    if (end !== (level + 1 < depth ? nodeHash(spine[level + 1]!) : last)) return false;
  }
  return true;
}

/** Most moves of a search among so many leaves: the claim and a pointing finger, then showing and pointing for each level. */
export function movesOfSearch(leaves: number): number {
  return 2 * depthOf(leaves);
}
