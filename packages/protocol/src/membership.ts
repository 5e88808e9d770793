/** Who belongs: joining, being ready, leaving, and being proven at fault. */

import { type Hash, vouchingAccount } from '@folkmoot/core';
import { forfeit, openAccount } from '@folkmoot/ledger';
import type { RecordOf, VerifiedRecord } from '@folkmoot/records';
import { hasSeniority, letIn, refusalToAdmit } from './admission.ts';
import { proveEquivocation } from './equivocation.ts';
import type { Context } from './events.ts';
import { NO_HELP_KNOWN } from './help.ts';
import { isBarred, type Member, type State, zeroCarry } from './state.ts';
import { handOver } from './succession.ts';
import { recounting } from './tally.ts';

/** Bounds on what one round can add to the log and the state. */
const MAX_JOINS = 256;
const MAX_READIES = 4;

export const join = {
  check(state: State, body: RecordOf<'join'>): string | null {
    if (state.members[body.device]) return 'this device has joined before';
    if (state.round.joins >= MAX_JOINS) return 'too many have joined in this round; try again in the next';
    if (vouchingAccount(body.device, state.run, body.vouch) !== body.account)
      return 'the account has not vouched for this device';
    return refusalToAdmit(state, body);
  },
  apply(state: State, { body }: VerifiedRecord<RecordOf<'join'>>, context: Context): void {
    state.members[body.device] = { ...newMember(state, body), founder: hasSeniority(state, body.account) };
    letIn(state, body);
    state.round.joins++;
    openAccount(state.ledger, body.account);
    context.events.push({ kind: 'joined', device: body.device, account: body.account, name: body.name });
  },
};

export const ready = {
  check(state: State, body: RecordOf<'ready'>): string | null {
    const member = state.members[body.device]!;
    const { phase, number, witnesses } = state.round;
    const { electors } = state;
    const nothingNew = member.ready && body.tip === member.tip && body.engine === member.engine && !body.reset;
    if (nothingNew) return 'this device is ready already';
    if (member.readies.round === number && member.readies.count >= MAX_READIES) return 'said too often in this round';
    // A witness that could change its chain once the others show their preimages would choose the seed.
    const showing = phase === 'witness' ? witnesses : phase === 'finalize' || phase === 'seal' ? electors : [];
    return showing.includes(body.device) && body.tip !== member.tip
      ? 'a drawn witness keeps its seed chain while preimages are shown'
      : null;
  },
  apply(state: State, { body }: VerifiedRecord<RecordOf<'ready'>>, context: Context): void {
    const member = state.members[body.device]!;
    const { number } = state.round;
    member.readies = { round: number, count: member.readies.round === number ? member.readies.count + 1 : 1 };
    setReady(state, body.device, true);
    member.tip = body.tip;
    member.engine = body.engine;
    if (body.reset) {
      member.carry = zeroCarry(state.charter);
      member.cleanAudits = 0;
    }
    context.events.push({ kind: 'ready', device: body.device });
  },
};

export const leave = {
  check(state: State, body: RecordOf<'leave'>): string | null {
    // One that has promised to stay away, and was not heard when it left, says so when it is back.
    const isCounted = body.abstains && state.electors.length > 1 && state.electors.includes(body.device);
    return state.members[body.device]!.ready || isCounted ? null : 'this device takes no part';
  },
  apply(state: State, { body }: VerifiedRecord<RecordOf<'leave'>>, context: Context): void {
    if (body.abstains) countOut(state, body.device);
    const { seats, left } = state.round;
    if (seats[body.device] && !left.includes(body.device)) left.push(body.device);
    setAway(state, body.device, 'left', context);
  },
};

export const fault = {
  check(state: State, body: RecordOf<'fault'>): string | null {
    return proofIn(state, body) ? null : 'the two records prove nothing';
  },
  apply(state: State, { body }: VerifiedRecord<RecordOf<'fault'>>, context: Context): void {
    const { device, first, second } = proofIn(state, body)!;
    const member = state.members[device]!;
    member.banned = true;
    countOut(state, device);
    setReady(state, device, false);
    const forfeited = forfeit(state.ledger, member.account);
    context.events.push({ kind: 'fault', device, forfeited, first, second });
    if (device === state.sequencer) handOver(state, 'at fault', context);
  },
};

/** Takes a device out of the draws until it says `ready` again. Costs nothing. */
export function setAway(state: State, device: string, reason: string, context: Context): void {
  const member = state.members[device]!;
  if (!member.ready) return;
  setReady(state, device, false);
  context.events.push({ kind: 'away', device, reason });
}

export function setReady(state: State, device: string, isReady: boolean): void {
  if (isReady) state.round.left = state.round.left.filter((other) => other !== device);
  recounting(state, device, () => {
    state.members[device]!.ready = isReady;
  });
}

function newMember(state: State, body: RecordOf<'join'>): Member {
  return {
    account: body.account,
    name: body.name,
    seq: body.seq,
    ready: false,
    founder: false,
    banned: false,
    revoked: false,
    tip: state.run,
    engine: '',
    carry: zeroCarry(state.charter),
    cleanAudits: 0,
    failedAudits: 0,
    auditDue: false,
    overruled: false,
    owes: null,
    refusedRounds: [],
    readies: { round: 0, count: 0 },
    verifiedSegments: 0,
    help: NO_HELP_KNOWN,
    audits: [],
    cases: [],
  };
}

/** No quorum waits for the device any more, until the next header names the electors anew. The last one stays. */
export function countOut(state: State, device: string): void {
  if (state.electors.length > 1) state.electors = state.electors.filter((other) => other !== device);
}

function proofIn(
  state: State,
  { first, second }: RecordOf<'fault'>,
): { device: string; first: Hash; second: Hash } | undefined {
  const proof = proveEquivocation(state.run, first, second);
  const member = proof && state.members[proof.device];
  // Whoever stole a revoked device can still sign with it, and must not be able to cost its account anything.
  return member && !isBarred(member) ? proof : undefined;
}
