import { bases } from './bases.ts';
import { carries } from './carries.ts';
import type { MakeChecker } from './checker.ts';
import { claims } from './claims.ts';
import { complaints } from './complaints.ts';
import { convictions } from './convictions.ts';
import { credits } from './credits.ts';
import { draws } from './draws.ts';
import { fates } from './fates.ts';
import { forgery } from './forgery.ts';
import { honest } from './honest.ts';
import { inert } from './inert.ts';
import { phases } from './phases.ts';
import { quorums } from './quorums.ts';
import { surroundings } from './surroundings.ts';
import { terms } from './terms.ts';

export type { Checker, Finding, Look, Truth } from './checker.ts';

/**
 * The checkers of one invariant each. I8 (copies) is the referee's own, since it compares members with it, and I10
 * (progress) the world's, since only it knows when there must be some.
 */
export const CHECKERS = {
  surroundings,
  fates,
  bases,
  phases,
  draws,
  quorums,
  terms,
  complaints,
  honest,
  credits,
  convictions,
  carries,
  inert,
  forgery,
  claims,
} as const satisfies Record<string, MakeChecker>;
