/**
 * Lineage: a run that goes on from a header of another one, and what it owes to that run's accounts.
 *
 * The fork's charter names the parent, the header, and two artifacts: the *pedigree*, from which a stranger sees that the
 * parent's electors have sealed that header, and the *credits*, the rows under the header's `creditsRoot`. The parent's
 * share policy says what of them a fork must carry; a charter that claims the lineage and carries less is refused.
 */
import { type Canonical, canonicalJson, type Hash } from '@folkmoot/core';
import { z } from 'zod';
import { count, hash, natural } from './fields.ts';

/** Largest pedigree, and largest list of credits: some ten thousand rounds, some hundred thousand accounts. */
export const MAX_LINEAGE_BYTES = 2 ** 26;
/** Runs between a fork and the run that was forked from none. */
export const MAX_ANCESTORS = 32;

/** All of a balance, in basis points. */
export const WHOLE = 10_000;

/** What a fork of this run must carry of each account's credit. Absent: `none`. */
export const sharePolicySchema = z.discriminatedUnion('kind', [
  /** Balances begin at zero. */
  z.strictObject({ kind: z.literal('none') }),
  /** So many ten-thousandths of what is unlocked, and as many of what is locked, which stays locked; each rounded down. */
  z.strictObject({ kind: z.literal('carry'), basisPoints: count(WHOLE) }),
]);

const artifact = z.strictObject({ id: hash, bytes: count(MAX_LINEAGE_BYTES) });

export const lineageSchema = z.strictObject({
  /** The run from which this one was forked: the id of its charter. */
  parent: hash,
  /** The sealed header at which this run begins, and its round. */
  header: hash,
  round: natural,
  pedigree: artifact,
  /** Present where the parent's policy carries credit, and nowhere else. */
  credits: artifact.optional(),
});

export type SharePolicy = z.infer<typeof sharePolicySchema>;
export type Lineage = z.infer<typeof lineageSchema>;

/** What lineage binds of a charter. */
export interface Bound {
  readonly model: object;
  readonly parameters: number;
  readonly tokenizer: Hash;
  readonly licence: string;
  readonly sharePolicy?: SharePolicy;
  readonly lineage?: Lineage;
}

/** Ten-thousandths of an account's credit that a fork of a run with this policy carries; 0: none. */
export function carriedPoints({ sharePolicy }: Pick<Bound, 'sharePolicy'>): number {
  return sharePolicy?.kind === 'carry' ? sharePolicy.basisPoints : 0;
}

/**
 * The first rule of lineage that `fork` breaks towards `parent`, or `undefined`. A fork hands the policy on, or two forks
 * in a row would wipe out what one may not.
 */
export function brokenLineage(fork: Bound, parent: Bound): string | undefined {
  if (!fork.lineage) return 'it claims no lineage';
  if (textOf(fork.model) !== textOf(parent.model) || fork.parameters !== parent.parameters)
    return 'its model is not the parent’s';
  if (fork.tokenizer !== parent.tokenizer) return 'its tokenizer is not the parent’s';
  if (fork.licence !== parent.licence) return 'its licence is not the parent’s';
  const owed = carriedPoints(parent);
  if (owed > 0 && !fork.lineage.credits)
    return `it carries no credit, and the parent’s share policy carries ${owed / 100} % of every account’s`;
  if (owed === 0 && fork.lineage.credits) return 'it carries credit, and the parent’s share policy carries none';
  return carriedPoints(fork) < owed ? 'its share policy carries less than the parent’s' : undefined;
}

const textOf = (value: object) => canonicalJson(value as Canonical);
