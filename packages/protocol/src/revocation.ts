/** Revocation: an account disowns a device. From then on it is inert; what it earned stays with the account. */
import { revokingAccount } from '@folkmoot/core';
import type { RecordOf, VerifiedRecord } from '@folkmoot/records';
import type { Context } from './events.ts';
import { countOut, setReady } from './membership.ts';
import type { State } from './state.ts';
import { handOver, successorOf } from './succession.ts';

/** The account's signature is the authority: whoever carries the record need not be a member. */
export const revoke = {
  check(state: State, body: RecordOf<'revoke'>): string | null {
    const member = state.members[body.revoked];
    if (member?.account !== body.account) return 'the account has no such device';
    if (member.revoked) return 'the device was revoked before';
    if (body.revoked === state.sequencer && successorOf(state, state.term + 1) === undefined)
      return 'nobody else could order the log: it is the sequencer’s only device';
    if (revokingAccount(body.revoked, state.run, body.signature) !== body.account)
      return 'the account has not revoked this device';
    return null;
  },
  apply(state: State, { body }: VerifiedRecord<RecordOf<'revoke'>>, context: Context): void {
    setReady(state, body.revoked, false);
    state.members[body.revoked]!.revoked = true;
    countOut(state, body.revoked);
    context.events.push({ kind: 'revoked', device: body.revoked, account: body.account });
    if (body.revoked === state.sequencer) handOver(state, 'revoked', context);
  },
};
