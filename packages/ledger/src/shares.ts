/** What a fork carries of each account's credit, in integers: the same on every member, from rows that a header commits to. */
import type { AccountId } from '@folkmoot/core';
import type { Row } from './rows.ts';

/** The round of a lock that was carried into a run: it vests as if it had been earned before the first. */
export const CARRIED_IN = 0;

const WHOLE = 10_000;

/** What one account brings into a fork. */
export interface Share {
  readonly account: AccountId;
  readonly free: number;
  /** Locked anew, for the whole vesting time: it can still be forfeited. */
  readonly locked: number;
}

/**
 * `basisPoints` of what is free and of what is locked, each rounded down; accounts of which nothing is left are left out.
 *
 * Of an account that owes its run an answer nothing locked is carried, or a fork would be the way out of a standing audit.
 */
export function sharesOf(rows: readonly Row[], basisPoints: number): Share[] {
  return rows.flatMap(({ account, carried, earned, forfeited, locks, frozen }) => {
    const held = locks.reduce((sum, { amount }) => sum + amount, 0);
    const free = part(carried + earned - forfeited - held, basisPoints);
    const locked = frozen > 0 ? 0 : part(held, basisPoints);
    return free + locked > 0 ? [{ account, free, locked }] : [];
  });
}

/** ⌊amount · basisPoints / 10,000⌋, without a product that is no safe integer. */
function part(amount: number, basisPoints: number): number {
  const rest = amount % WHOLE;
  return ((amount - rest) / WHOLE) * basisPoints + Math.floor((rest * basisPoints) / WHOLE);
}
