/**
 * The training trace: a hash chain over the states of a round, and a Merkle tree over its salted links.
 *
 * Link 0 is the start, links 1…K the ends of the K segments, link K+1 the encoding; who works what is left of a seat has
 * as many segments as that, counted from its own first. A trainer commits to the tree's root;
 * a link that is opened later must be the one that was committed to. Salts keep the other links from being guessed.
 */
import { type Hash, hashOf, merkleProof, merkleRoot, merkleVerify } from '@folkmoot/core';
import { z } from 'zod';
import { hash } from './fields.ts';

/** A state at a segment boundary, by the ids of its two artifacts. */
export interface StateIds {
  readonly params: Hash;
  readonly moments: Hash;
}

/** The name of a trainer's assigned rows in one segment: rows are a function of the round's seed, the seat and the segment. */
export function rowsId(seed: Hash, seat: number, segment: number): Hash {
  return hashOf('rows', seed, seat, segment);
}

export function startLink(base: Hash, seed: Hash, seat: number, moments: Hash): Hash {
  return hashOf('trace-start', base, seed, seat, moments);
}

/** Link `segment` (from 1): the state at the segment's end, chained to the link before. */
export function segmentLink(previous: Hash, state: StateIds, rows: Hash): Hash {
  return hashOf('trace-segment', previous, stateRoot(state), rows);
}

export function stateRoot(state: StateIds): Hash {
  return hashOf('state', state.params, state.moments);
}

export function encodeLink(previous: Hash, update: Hash, errorIn: Hash, errorOut: Hash): Hash {
  return hashOf('trace-encode', previous, update, errorIn, errorOut);
}

export function traceLeaf(index: number, salt: Hash, link: Hash): Hash {
  return hashOf('trace-leaf', index, salt, link);
}

/** A trace with its secrets, as its trainer keeps it. */
export interface Trace {
  /** K + 2 links. */
  readonly links: readonly Hash[];
  readonly salts: readonly Hash[];
  /** The state at link 1…K; index 0 is segment 1. */
  readonly states: readonly StateIds[];
}

export function traceRoot(trace: Trace): Hash {
  return merkleRoot(leaves(trace));
}

export const openingSchema = z.strictObject({
  /** Which link. */
  index: z.int().min(0).max(100_001),
  salt: hash,
  proof: z.array(hash.nullable()).max(17),
});

/** What shows that a link was committed to. The link itself is recomputed by the reader from what it stands for. */
export type Opening = z.infer<typeof openingSchema>;

export function openLink(trace: Trace, index: number): Opening {
  return { index, salt: trace.salts[index]!, proof: merkleProof(leaves(trace), index) };
}

/** Whether `link` is number `opening.index` of the `count` links under `root`. */
export function checkOpening(root: Hash, count: number, opening: Opening, link: Hash): boolean {
  return merkleVerify(root, count, opening.index, traceLeaf(opening.index, opening.salt, link), opening.proof);
}

function leaves(trace: Trace): Hash[] {
  return trace.links.map((link, index) => traceLeaf(index, trace.salts[index]!, link));
}
