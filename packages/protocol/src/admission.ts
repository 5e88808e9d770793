/**
 * Who may join, by the charter and by signed tickets. Everything is counted in the state, so that no member has to take
 * another's word for it.
 */
import { type AccountId, type DeviceId, verifyBytes } from '@folkmoot/core';
import { isGenuine, type RecordOf, type Ticket, type VerifiedRecord, withdrawalBytes } from '@folkmoot/records';
import { isSenior } from './draw.ts';
import type { Context } from './events.ts';
import { isBarred, type State } from './state.ts';

/** Reasons to let nobody in that trying again does not change, by the code under which a person hears them. */
export const ADMISSION = {
  'invite-needed': 'this run lets in only who shows a ticket, and the invite has none',
  'not-listed': 'this run lets in only accounts on its list, and this one is not on it',
  'invite-foreign': 'the ticket is not one of this run',
  'invite-forged': 'the ticket is not signed by its issuer, or is used for another device',
  'invite-unauthorized': 'whoever issued the ticket may let nobody in',
  'invite-withdrawn': 'the ticket was withdrawn',
  'invite-expired': 'the ticket has expired',
  'invite-used-up': 'the ticket has let in as many as it may',
  'invite-others': 'the ticket is for other accounts',
  'inviter-used-up': 'the issuer of the ticket has let in as many as a member may',
  'too-many-devices': 'the account has as many devices as it may',
} as const;

export type AdmissionCode = keyof typeof ADMISSION;

/** Devices of one account that are not revoked, and all that it ever had. */
const MAX_DEVICES = 16;
const MAX_DEVICES_EVER = 64;
/** Tickets that one account can take back: each is remembered for ever. */
const MAX_WITHDRAWALS = 256;

/** The code of a refusal that is about admission; `undefined` for any other. */
export function admissionCode(reason: string): AdmissionCode | undefined {
  return (Object.keys(ADMISSION) as AdmissionCode[]).find((code) => ADMISSION[code] === reason);
}

/** Why the account may not join with this device, or null. */
export function refusalToAdmit(state: State, body: RecordOf<'join'>): string | null {
  const known = state.doors.accounts[body.account];
  if (known) return mayAddDevice(state, known.devices) ? null : ADMISSION['too-many-devices'];
  if (!needsTicket(state, body)) return null;
  const { admission } = body;
  if (!admission) return ADMISSION[state.charter.admission!.kind === 'list' ? 'not-listed' : 'invite-needed'];
  const code = faultOf(state, admission.ticket, body.account);
  if (code) return ADMISSION[code];
  return isGenuine(admission, body.device) ? null : ADMISSION['invite-forged'];
}

/** Counts a join that was let in. */
export function letIn(state: State, body: RecordOf<'join'>): void {
  const { accounts, tickets } = state.doors;
  // Of a ticket that nobody asked for, nothing was checked.
  if (!accounts[body.account] && needsTicket(state, body)) {
    const { issuer, key } = body.admission!.ticket;
    const { account } = state.members[issuer]!;
    const name = ticketKey(account, key);
    tickets[name] ??= { used: 0, withdrawn: false };
    tickets[name].used++;
    accounts[account]!.admitted++;
  }
  accounts[body.account] ??= { devices: [], admitted: 0, withdrawn: 0 };
  accounts[body.account]!.devices.push(body.device);
}

/** Whether the account's other devices made it a senior: a new machine of an old member is no stranger. */
export function hasSeniority(state: State, account: AccountId): boolean {
  const devices = state.doors.accounts[account]?.devices ?? [];
  return devices.some((device) => {
    const { banned, founder, verifiedSegments } = state.members[device]!;
    return !banned && (founder || verifiedSegments > 0);
  });
}

/** The name of a ticket in the state: two issuers cannot touch each other's. */
export function ticketKey(issuing: AccountId, key: DeviceId): string {
  return `${issuing} ${key}`;
}

/** The issuer's signature is the authority: whoever carries the record need not be a member. */
export const withdraw = {
  check(state: State, body: RecordOf<'withdraw'>): string | null {
    const issuer = state.members[body.issuer];
    if (!state.charter.admission) return 'this run lets everybody in: it has no tickets';
    if (!issuer || isBarred(issuer)) return 'the issuer is no member';
    const known = state.doors.tickets[ticketKey(issuer.account, body.key)];
    if (known?.withdrawn) return 'the ticket was withdrawn before';
    if (state.doors.accounts[issuer.account]!.withdrawn >= MAX_WITHDRAWALS) return 'the account has withdrawn too many';
    return verifyBytes(body.issuer, withdrawalBytes(state.run, body.key), body.signature)
      ? null
      : 'the issuer has not signed this';
  },
  apply(state: State, { body }: VerifiedRecord<RecordOf<'withdraw'>>, context: Context): void {
    const { account } = state.members[body.issuer]!;
    const name = ticketKey(account, body.key);
    state.doors.tickets[name] = { used: state.doors.tickets[name]?.used ?? 0, withdrawn: true };
    state.doors.accounts[account]!.withdrawn++;
    context.events.push({ kind: 'withdrawn', issuer: body.issuer, key: body.key });
  },
};

/** What is wrong with a ticket, by what can be told without its signatures. */
function faultOf(state: State, ticket: Ticket, account: AccountId): AdmissionCode | undefined {
  const rules = state.charter.admission!;
  if (ticket.run !== state.run) return 'invite-foreign';
  const issuer = state.members[ticket.issuer];
  if (!issuer || isBarred(issuer)) return 'invite-unauthorized';
  const known = state.doors.tickets[ticketKey(issuer.account, ticket.key)];
  if (known?.withdrawn) return 'invite-withdrawn';
  if (ticket.untilMs <= state.head.atMs) return 'invite-expired';
  if ((known?.used ?? 0) >= ticket.uses) return 'invite-used-up';
  if (rules.kind === 'list' && !ticket.accounts) return 'not-listed';
  if (ticket.accounts && !ticket.accounts.includes(account)) return 'invite-others';
  if (issuer.account === state.charter.creator) return undefined;
  if (rules.perMember === 0 || !isSenior(issuer)) return 'invite-unauthorized';
  return state.doors.accounts[issuer.account]!.admitted >= rules.perMember ? 'inviter-used-up' : undefined;
}

/** Of accounts that are not in yet. */
function needsTicket({ charter }: State, { account, device }: RecordOf<'join'>): boolean {
  const { admission: rules, creator, sequencer } = charter;
  if (!rules || account === creator || device === sequencer) return false;
  return rules.kind === 'invite' || !rules.accounts.includes(account);
}

function mayAddDevice(state: State, devices: readonly DeviceId[]): boolean {
  const live = devices.filter((device) => !isBarred(state.members[device]!)).length;
  return live < MAX_DEVICES && devices.length < MAX_DEVICES_EVER;
}
