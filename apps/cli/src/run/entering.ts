/** What can be said of an invite before anything is fetched. */
import { shortId, WorldError } from '@folkmoot/core';
import type { Vouched } from '@folkmoot/node';
import { type Invite, parseVouch } from '@folkmoot/records';
import { openIdentity } from '../identity.ts';

/** Throws `invite-expired` or `invite-foreign`: the log would say the same after the data had come. */
export function checkTicket({ run, ticket: invited }: Invite, nowMs: number): void {
  if (!invited) return;
  const { ticket } = invited;
  if (ticket.run !== run)
    throw new WorldError('invite-foreign', 'The ticket in this invite is one of another run.', {
      facts: { run, ticket: shortId(ticket.key) },
      help: 'Ask the member who invited you for a new one.',
    });
  if (ticket.untilMs > nowMs) return;
  throw new WorldError('invite-expired', `This invite expired at ${new Date(ticket.untilMs).toISOString()}.`, {
    facts: { ticket: shortId(ticket.key) },
    help: 'Ask the member who invited you for a new one. If it is new, this machine’s clock may be wrong.',
  });
}

/** The account's word in `line` for this home's device. Throws `vouch-malformed` or `vouch-foreign`. */
export async function vouchedOf(home: string, line: string | undefined, run: string): Promise<Vouched | undefined> {
  if (line === undefined) return undefined;
  const { account, vouch, device, run: itsRun } = parseVouch(line);
  const mine = (await openIdentity(home)).device.id;
  if (device === mine && itsRun === run) return { account, vouch };
  throw new WorldError('vouch-foreign', 'The account vouches for another device or another run.', {
    facts: { 'device here': mine, 'device vouched for': device, run, 'run vouched for': itsRun },
    help: 'Run "folkmoot keys add DEVICE" on the machine that has the account, with the device that "folkmoot keys" prints here.',
  });
}
