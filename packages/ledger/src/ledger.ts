/**
 * Credits: integers, a fold over settlements.
 *
 * A round's credit is earned at once and locked for the charter's vesting time, then unlocks whole. Locked credit is what
 * a cheater stands to lose, so nobody has to put up money first. What nobody earned stays unissued.
 */
import { type AccountId, assert, type Hash } from '@folkmoot/core';
import { rowsRoot, rowText } from './rows.ts';
import type { Settlement } from './settlement.ts';
import { CARRIED_IN, type Share } from './shares.ts';

/** The rate and the vesting time, from the charter. */
export interface CreditRules {
  readonly perSegment: number;
  readonly vestingRounds: number;
}

/** A round's credit that is still locked. */
export interface Lock {
  readonly round: number;
  readonly amount: number;
}

export interface Account {
  /** What it brought from the run that this one was forked from. */
  carried: number;
  /** All credit ever earned here, locked or not, forfeited or not. */
  earned: number;
  forfeited: number;
  /** Ascending by round. */
  locks: Lock[];
  /** Devices that owe the log an answer: while there are any, nothing unlocks. */
  frozen: number;
}

/** Plain data: it is part of the reducer's state, and of its hash. */
export interface Ledger {
  readonly accounts: Record<AccountId, Account>;
}

export function emptyLedger(): Ledger {
  return { accounts: {} };
}

/** The ledger of a run before its first entry: `shares` are what its accounts bring from the parent. */
export function firstLedger(shares: readonly Share[]): Ledger {
  const ledger = emptyLedger();
  for (const { account, free, locked } of shares) {
    openAccount(ledger, account);
    ledger.accounts[account]!.carried = free + locked;
    if (locked > 0) lock(ledger.accounts[account]!, CARRIED_IN, locked);
  }
  return ledger;
}

/** Gives a member an account, with nothing in it. */
export function openAccount(ledger: Ledger, account: AccountId): void {
  ledger.accounts[account] ??= { carried: 0, earned: 0, forfeited: 0, locks: [], frozen: 0 };
}

/** Books one settlement; the account must be open. */
export function settle(ledger: Ledger, rules: CreditRules, settlement: Settlement): void {
  const amount = settlement.segments * rules.perSegment;
  const account = ledger.accounts[settlement.account];
  assert(account, 'a settlement names an open account');
  assert(Number.isSafeInteger(amount) && amount >= 0, 'credit is a natural number');
  if (amount === 0) return;
  account.earned += amount;
  lock(account, settlement.round, amount);
}

function lock(account: Account, round: number, amount: number): void {
  account.locks.push({ round, amount });
  // Audits settle out of order by a round or two; the list is short and nearly sorted.
  account.locks.sort((a, b) => a.round - b.round);
}

/**
 * Audits are concluded so many rounds behind at most: vesting is counted from there, or of the twenty rounds that a
 * cheater shall stand to lose two would be free before it is found.
 */
export const AUDITED_WITHIN_ROUNDS = 2;

/** Drops the locks that have vested when `round` starts, but for frozen accounts; call once a round, so that lists stay short. */
export function unlock(ledger: Ledger, rules: CreditRules, round: number): void {
  for (const account of Object.values(ledger.accounts)) {
    if (account.frozen > 0 || account.locks.length === 0) continue;
    if (vestsIn(rules, account.locks[0]!) <= round)
      account.locks = account.locks.filter((lock) => vestsIn(rules, lock) > round);
  }
}

/** The round with whose start `lock` unlocks. */
function vestsIn(rules: CreditRules, lock: Lock): number {
  return lock.round + rules.vestingRounds + AUDITED_WITHIN_ROUNDS;
}

/** Keeps what is locked from unlocking, until as many `thaw`s have followed. Takes nothing away. */
export function freeze(ledger: Ledger, account: AccountId): void {
  ledger.accounts[account]!.frozen++;
}

export function thaw(ledger: Ledger, account: AccountId): void {
  const holder = ledger.accounts[account]!;
  assert(holder.frozen > 0, 'what is thawed was frozen');
  holder.frozen--;
}

/** Takes everything that is still locked; returns the amount. Only a proof of fault does this. */
export function forfeit(ledger: Ledger, account: AccountId): number {
  const holder = ledger.accounts[account];
  if (!holder) return 0;
  const amount = lockedOf(holder);
  holder.forfeited += amount;
  holder.locks = [];
  return amount;
}

/** Gives back what a proof that was refuted had taken, locked as credit of `round`. */
export function restore(ledger: Ledger, account: AccountId, round: number, amount: number): void {
  const holder = ledger.accounts[account];
  assert(holder && amount <= holder.forfeited, 'only what was forfeited is given back');
  if (amount === 0) return;
  holder.forfeited -= amount;
  lock(holder, round, amount);
}

export interface Balance {
  /** Brought from the run that this one was forked from. */
  readonly carried: number;
  readonly earned: number;
  readonly locked: number;
  readonly unlocked: number;
  readonly forfeited: number;
}

/** Zero for an account that is not open. */
export function balanceOf(ledger: Ledger, account: AccountId): Balance {
  const holder = ledger.accounts[account];
  if (!holder) return { carried: 0, earned: 0, locked: 0, unlocked: 0, forfeited: 0 };
  const locked = lockedOf(holder);
  return {
    carried: holder.carried,
    earned: holder.earned,
    locked,
    unlocked: holder.carried + holder.earned - locked - holder.forfeited,
    forfeited: holder.forfeited,
  };
}

/** The rows of all accounts in ascending order, as text. */
export function creditRows(ledger: Ledger): string[] {
  return Object.keys(ledger.accounts)
    .sort()
    .map((id) => rowText({ account: id, ...ledger.accounts[id]! }));
}

/** Merkle root over the accounts' rows: what a header says about credit. */
export function creditsRoot(ledger: Ledger): Hash {
  return rowsRoot(creditRows(ledger));
}

function lockedOf(account: Account): number {
  return account.locks.reduce((sum, lock) => sum + lock.amount, 0);
}
