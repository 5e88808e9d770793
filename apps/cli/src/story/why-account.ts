/** What an account holds that has not joined: credit that a fork carries for it. */
import type { AccountId } from '@folkmoot/core';
import { balanceOf } from '@folkmoot/ledger';
import { formatCount } from '../ui/format.ts';
import type { Story } from './story.ts';
import type { Explanation } from './subject.ts';
import { carriedLines } from './why-member.ts';

/** Accounts without a device here whose id begins with `what`: 0x and four or more digits. */
export function absentAccounts({ state }: Story, what: string): AccountId[] {
  if (!/^0x[0-9a-f]{4,40}$/i.test(what)) return [];
  const here = new Set(Object.values(state.members).map(({ account }) => account));
  const wanted = what.toLowerCase();
  return Object.keys(state.ledger.accounts).filter((account) => account.startsWith(wanted) && !here.has(account));
}

export function explainAccount({ state, run }: Story, account: AccountId): Explanation {
  const balance = balanceOf(state.ledger, account);
  return {
    facts: { kind: 'account', account, joined: false, ...balance },
    lines: [
      `account ${account}: has not joined this run`,
      '',
      ...carriedLines(run, account),
      `${formatCount(balance.locked)} locked, ${formatCount(balance.unlocked)} unlocked`,
    ],
  };
}
