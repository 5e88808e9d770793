/** Tickets that this home's member issues, and what the log knows of them. */
import { randomBytes } from 'node:crypto';
import { type AccountId, shortId, toHex, WorldError } from '@folkmoot/core';
import { ticketKey } from '@folkmoot/protocol';
import { type Invited, issueTicket } from '@folkmoot/records';
import type { Identity } from '../identity.ts';
import type { Story } from './story.ts';

export interface Terms {
  readonly uses: number;
  readonly untilMs: number;
  readonly accounts?: readonly AccountId[];
}

/** A ticket by this home's device. Throws `admission-open` or `inviter-unauthorized`. */
export function ticketBy({ device }: Identity, { run, state }: Story, terms: Terms): Invited {
  const rules = run.charter.admission;
  if (!rules)
    throw new WorldError('admission-open', 'This run lets everybody in: an invite to it cannot be limited.', {
      help: 'Print it without these options, or found a run with "folkmoot create --admission invite".',
    });
  if (rules.kind === 'list' && !terms.accounts)
    throw new WorldError('accounts-needed', 'This run lets in accounts that are named.', {
      help: 'Name them: "folkmoot invite --for ACCOUNT". "folkmoot keys" prints an account.',
    });
  const member = state.members[device.id];
  const isCreator = member?.account === run.charter.creator;
  const isSenior = member && (member.founder || member.verifiedSegments > 0);
  if (!member || member.banned || member.revoked || (!isCreator && (rules.perMember === 0 || !isSenior)))
    throw new WorldError('inviter-unauthorized', 'This member may let nobody in.', {
      facts: { device: shortId(device.id), 'per member': rules.perMember },
      help: 'The creator may, and members with verified work where the charter allows it.',
    });
  const secret = new Uint8Array(randomBytes(32));
  const issued = issueTicket(device, secret, { run: state.run, ...terms });
  return { ...issued, secret: toHex(secret) };
}

export interface TicketUse {
  readonly key: string;
  readonly used: number;
  readonly withdrawn: boolean;
}

/** Tickets of the account of this home's device that the log has seen. */
export function ticketsOf({ device }: Identity, { state }: Story): TicketUse[] {
  const account = state.members[device.id]?.account;
  const mine = ticketKey(account ?? '', '');
  return Object.entries(state.doors.tickets).flatMap(([name, { used, withdrawn }]) =>
    account !== undefined && name.startsWith(mine) ? [{ key: name.slice(mine.length), used, withdrawn }] : [],
  );
}
