/** Moves of a dispute over one audited segment: see `disputes.ts` in `protocol`. */
import { concat, fromHex, type Hash, sha256 } from '@folkmoot/core';
import { z } from 'zod';
import { MAX_LEAVES, TREE_WIDTH } from './claim-tree.ts';
import { hash } from './fields.ts';

const children = z.array(hash).min(1).max(TREE_WIDTH);

export const RULINGS = ['trainer', 'accuser', 'unavailable'] as const;

export const moveSchema = z.discriminatedUnion('is', [
  /** The trainer contests an auditor's mismatch, or that auditor insists on it. */
  z.strictObject({ is: z.literal('raise') }),
  /** The trainer's steps of the segment, or operators of a step. `list`: the artifact with all leaves, one after another. */
  z.strictObject({
    is: z.literal('claim'),
    list: hash,
    leaves: z.int().min(1).max(MAX_LEAVES),
    spine: z.array(children).min(1).max(4),
  }),
  /** The accuser: this child does not follow from what comes before it. */
  z.strictObject({
    is: z.literal('point'),
    child: z
      .int()
      .min(0)
      .max(TREE_WIDTH - 1),
  }),
  /** The trainer: what is under that child. */
  z.strictObject({ is: z.literal('show'), children }),
  /** The accuser takes its finding back. */
  z.strictObject({ is: z.literal('concede') }),
  /** A judge has run the operator: who is at fault, or that the bytes could not be fetched. */
  z.strictObject({ is: z.literal('rule'), outcome: z.enum(RULINGS) }),
]);

export type Move = z.infer<typeof moveSchema>;
export type Ruling = (typeof RULINGS)[number];

/** The leaf of a state: the artifact that names its parts, parameters first. */
export function stateLeaf(ids: readonly Hash[]): Hash {
  return sha256(listBytes(ids));
}

/** Hashes, one after another, 32 bytes each. */
export function listBytes(ids: readonly Hash[]): Uint8Array {
  return concat(ids.map((id) => fromHex(id)));
}
