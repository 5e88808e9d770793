/** Revocation: an account disowns a device. From then on it is inert; what it earned stays with the account. */
import { revokingAccount } from '@folkmoot/core';
import type { RecordOf, VerifiedRecord } from '@folkmoot/records';
import type { Context } from './events.ts';
import { setReady } from './membership.ts';
import type { State } from './state.ts';

/** The account's signature is the authority: whoever carries the record need not be a member. */
export const revoke = {
  check(state: State, body: RecordOf<'revoke'>): string | null {
    const member = state.members[body.revoked];
    if (member?.account !== body.account) return 'the account has no such device';
    if (member.revoked) return 'the device was revoked before';
    // Nobody would order the log any more.
    if (body.revoked === state.charter.sequencer) return 'the sequencer’s device cannot be revoked while it is that';
    if (revokingAccount(body.revoked, state.run, body.signature) !== body.account)
      return 'the account has not revoked this device';
    return null;
  },
  apply(state: State, { body }: VerifiedRecord<RecordOf<'revoke'>>, context: Context): void {
    setReady(state, body.revoked, false);
    state.members[body.revoked]!.revoked = true;
    context.events.push({ kind: 'revoked', device: body.revoked, account: body.account });
  },
};
