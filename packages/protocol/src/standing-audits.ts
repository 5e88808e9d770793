/**
 * Standing audits: what was asked for and not shown stays asked for.
 *
 * A trainer that does not open is not paid for that round, and nothing more: it may have crashed. But the credit that its
 * account has locked stays locked until it has shown the round after all and a jury has found it honest. Whoever comes
 * back with its disk loses nothing; whoever never worked has nothing to show.
 */
import type { DeviceId } from '@folkmoot/core';
import { balanceOf, freeze, type Outcome, thaw } from '@folkmoot/ledger';
import type { Context } from './events.ts';
import { type Audit, auditKey, type State } from './state.ts';

const NOT_SHOWN: ReadonlySet<Outcome> = new Set(['not-opened', 'unavailable']);

/** Keeps the audit standing where what was asked for was not shown, and credit is at stake. */
export function keepStanding(state: State, audit: Audit, outcome: Outcome, context: Context): void {
  const member = state.members[audit.trainer]!;
  if (audit.again || member.owes !== null || !NOT_SHOWN.has(outcome)) return;
  if (balanceOf(state.ledger, member.account).locked === 0) return;
  member.owes = structuredClone(audit);
  freeze(state.ledger, member.account);
  context.events.push({ kind: 'frozen', device: audit.trainer, round: audit.round });
}

/** Standing audits of devices that are here: as they were drawn, with the same auditors in the same order. */
export function standingAudits(state: State): Audit[] {
  return Object.keys(state.members)
    .sort()
    .flatMap((device) => {
      const { owes, ready } = state.members[device]!;
      if (owes === null || !ready || state.audits[auditKey(owes.round, device)]) return [];
      return [{ ...owes, again: true, auditors: [], asked: [], verdicts: [], opened: null, closed: null }];
    });
}

/** Nothing is owed any more: it was shown, whatever was found. */
export function settleStanding(state: State, device: DeviceId, context: Context): void {
  const member = state.members[device]!;
  context.events.push({ kind: 'thawed', device, round: member.owes!.round });
  member.owes = null;
  thaw(state.ledger, member.account);
}

/** Whether `outcome` of a standing audit ends it. */
export function isShown(outcome: Outcome): boolean {
  return !NOT_SHOWN.has(outcome) && outcome !== 'no-verdict';
}
