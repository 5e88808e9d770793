/** The line with which others join, from what this home remembers: a member need not run to print it. */
import { WorldError } from '@folkmoot/core';
import { formatInvite, type Invited } from '@folkmoot/records';
import { knownAddresses } from './known-addresses.ts';
import type { Story } from './story.ts';

/** As many as an invite holds. */
const MOST_ADDRESSES = 16;

export interface InviteLine {
  readonly invite: string;
  readonly addresses: readonly string[];
  /** The newest header: a log without it is another. */
  readonly header: string;
}

/** Throws `no-address` where this home was never reachable and knows nobody else. */
export async function inviteTo(
  { run, state }: Story,
  extras: { ticket?: Invited; mirrors?: readonly string[] } = {},
): Promise<InviteLine> {
  const addresses = (await knownAddresses(run, state.sequencer)).slice(0, MOST_ADDRESSES);
  if (addresses.length === 0)
    throw new WorldError('no-address', 'This home knows no address at which a member of the run could be reached.', {
      facts: { run: state.run },
      help: 'Start the member once (the command that entered the run), then ask again.',
    });
  const header = state.lastHeader;
  const { ticket, mirrors } = extras;
  const name = run.charter.name;
  const invite = { run: state.run, name, addresses, header, ...(ticket && { ticket }), ...(mirrors && { mirrors }) };
  return { invite: formatInvite(invite), addresses, header };
}
