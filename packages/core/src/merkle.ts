/**
 * Merkle trees over a list of hashes.
 *
 * Leaves and inner nodes are hashed under different domains, so an inner node can never pass for a leaf. An odd node is
 * carried up unchanged. The root also covers the number of leaves, so no other list, longer or shorter, has the same root.
 */
import { fromHex } from './bytes.ts';
import { type Hash, hashOf, sha256 } from './hash.ts';

const LEAF = 0;
const NODE = 1;

/** Root of `leaves`. An empty list has a root too. */
export function merkleRoot(leaves: readonly Hash[]): Hash {
  let level = leaves.map(leafHash);
  while (level.length > 1) level = parents(level);
  return seal(leaves.length, level[0] ?? hashOf('merkle-empty'));
}

/** The siblings from leaf `index` to the root; `null` where the node is carried up alone. */
export function merkleProof(leaves: readonly Hash[], index: number): (Hash | null)[] {
  if (!Number.isInteger(index) || index < 0 || index >= leaves.length) throw new RangeError(`no leaf ${index}`);
  const proof: (Hash | null)[] = [];
  let level = leaves.map(leafHash);
  let at = index;
  while (level.length > 1) {
    proof.push(level[at ^ 1] ?? null);
    level = parents(level);
    at >>= 1;
  }
  return proof;
}

/** Whether `leaf` is number `index` of the `count` leaves under `root`. */
export function merkleVerify(
  root: Hash,
  count: number,
  index: number,
  leaf: Hash,
  proof: readonly (Hash | null)[],
): boolean {
  if (!Number.isInteger(index) || index < 0 || index >= count) return false;
  let node = leafHash(leaf);
  let at = index;
  let width = count;
  let used = 0;
  while (width > 1) {
    const sibling = proof[used++];
    const alone = (at ^ 1) >= width;
    if (sibling === undefined || (sibling === null) !== alone) return false;
    if (sibling !== null) node = at % 2 === 0 ? nodeHash(node, sibling) : nodeHash(sibling, node);
    at >>= 1;
    width = (width + 1) >> 1;
  }
  return used === proof.length && seal(count, node) === root;
}

function parents(level: readonly Hash[]): Hash[] {
  const next: Hash[] = [];
  for (let i = 0; i < level.length; i += 2)
    next.push(level[i + 1] === undefined ? level[i]! : nodeHash(level[i]!, level[i + 1]!));
  return next;
}

const leafHash = (leaf: Hash) => tagged(LEAF, leaf);
const nodeHash = (left: Hash, right: Hash) => tagged(NODE, left, right);
const seal = (count: number, top: Hash) => hashOf('merkle-root', count, top);

function tagged(tag: number, ...hashes: Hash[]): Hash {
  const bytes = new Uint8Array(1 + 32 * hashes.length);
  bytes[0] = tag;
  for (const [i, hash] of hashes.entries()) bytes.set(fromHex(hash), 1 + 32 * i);
  return sha256(bytes);
}
