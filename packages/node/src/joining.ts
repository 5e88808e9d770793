/** Asking to be let in: what a join says, and what its refusal means for a person. */
import {
  type AccountId,
  type AccountKey,
  type DeviceKey,
  fromHex,
  shortId,
  vouchForDevice,
  WorldError,
} from '@folkmoot/core';
import { type AdmissionCode, admissionCode } from '@folkmoot/protocol';
import { type Charter, claimTicket, type Invited, runId, type Said } from '@folkmoot/records';

/** An account's word for a device, given where the account's key is. */
export interface Vouched {
  readonly account: AccountId;
  readonly vouch: string;
}

/** What a newcomer says of itself. */
export function joinRequest(parts: {
  charter: Charter;
  key: DeviceKey;
  account: AccountKey;
  vouched?: Vouched;
  ticket?: Invited;
  name: string;
}): Said<'join'> {
  const { charter, key, account, vouched, ticket, name } = parts;
  const word = vouched ?? { account: account.id, vouch: vouchForDevice(account, key.id, runId(charter)) };
  const admission = ticket && charter.admission && claimTicket(ticket, fromHex(ticket.secret), key.id);
  return { ...word, name, ...(admission && { admission }) };
}

/** Throws where the log's `reason` will be the same however often it is asked. */
export function throwIfShutOut(reason: string, { account, admission }: Said<'join'>): void {
  const code = admissionCode(reason);
  if (!code) return;
  const ticket = admission?.ticket;
  throw new WorldError(code, `This run does not let this account in: ${reason}.`, {
    facts: {
      account,
      ...(ticket && {
        ticket: shortId(ticket.key),
        issuer: shortId(ticket.issuer),
        uses: ticket.uses,
        until: new Date(ticket.untilMs).toISOString(),
      }),
    },
    help: HELP[code],
  });
}

const ANOTHER = 'Ask the member who invited you for a new one: "folkmoot invite" makes it.';
const OF_CREATOR = 'Ask the creator of the run, or a member that has trained in it for some time, for an invite.';

const HELP: Record<AdmissionCode, string> = {
  'invite-needed': ANOTHER,
  'not-listed': 'Tell a member the account above: "folkmoot invite --for ACCOUNT" makes an invite for it.',
  'invite-foreign': ANOTHER,
  'invite-forged': 'The invite is damaged or not genuine. Ask the member who invited you, another way.',
  'invite-unauthorized': OF_CREATOR,
  'invite-withdrawn': ANOTHER,
  'invite-expired': ANOTHER,
  'invite-used-up': ANOTHER,
  'invite-others': 'Join with the account that the invite names, or tell the member who invited you the account above.',
  'inviter-used-up': OF_CREATOR,
  'too-many-devices': 'Revoke a device that is no longer used: "folkmoot keys revoke DEVICE".',
};
