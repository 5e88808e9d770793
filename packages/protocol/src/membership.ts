/** Who belongs: joining, being ready, leaving, and being proven at fault. */

import { type Hash, vouchingAccount } from '@folkmoot/core';
import { forfeit, openAccount } from '@folkmoot/ledger';
import { type RecordOf, type VerifiedRecord, verifyRecord } from '@folkmoot/records';
import { hasSeniority, letIn, refusalToAdmit } from './admission.ts';
import type { Context } from './events.ts';
import { NO_HELP_KNOWN } from './help.ts';
import { isBarred, type Member, type State, zeroCarry } from './state.ts';
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
    const nothingNew = member.ready && body.tip === member.tip && body.engine === member.engine && !body.reset;
    if (nothingNew) return 'this device is ready already';
    if (member.readies.round === number && member.readies.count >= MAX_READIES) return 'said too often in this round';
    // A witness that could change its chain once the others show their preimages would choose the seed.
    const shown = (phase === 'witness' || phase === 'finalize') && witnesses.includes(body.device);
    return shown && body.tip !== member.tip ? 'a drawn witness keeps its seed chain while preimages are shown' : null;
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
    return state.members[body.device]!.ready ? null : 'this device takes no part';
  },
  apply(state: State, { body }: VerifiedRecord<RecordOf<'leave'>>, context: Context): void {
    setAway(state, body.device, 'left', context);
  },
};

export const fault = {
  check(state: State, body: RecordOf<'fault'>): string | null {
    return proveEquivocation(state, body) ? null : 'the two records prove nothing';
  },
  apply(state: State, { body }: VerifiedRecord<RecordOf<'fault'>>, context: Context): void {
    const { device, first, second } = proveEquivocation(state, body)!;
    const member = state.members[device]!;
    member.banned = true;
    setReady(state, device, false);
    const forfeited = forfeit(state.ledger, member.account);
    context.events.push({ kind: 'fault', device, forfeited, first, second });
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

/**
 * Two records by one device that cannot both be honest: commits, headers or audit results for the same place with
 * different content. Sequence numbers and the head seen may differ, since an honest device repeats itself after a crash.
 */
function proveEquivocation(
  state: State,
  body: RecordOf<'fault'>,
): { device: string; first: Hash; second: Hash } | undefined {
  const first = parse(body.first);
  const second = parse(body.second);
  if (!first || !second) return undefined;
  const { device } = first.body;
  if (device !== second.body.device || !state.members[device]) return undefined;
  // Whoever stole a revoked device can still sign with it, and must not be able to cost its account anything.
  if (isBarred(state.members[device])) return undefined;
  if (first.body.run !== state.run || second.body.run !== state.run) return undefined;
  const place = placeOf(first);
  if (place === undefined || place !== placeOf(second)) return undefined;
  return contentOf(first) === contentOf(second) ? undefined : { device, first: first.id, second: second.id };
}

function parse(text: string): VerifiedRecord | undefined {
  try {
    const record = verifyRecord(JSON.parse(text));
    return record.ok ? record.value : undefined;
  } catch {
    return undefined;
  }
}

function placeOf({ body }: VerifiedRecord): string | undefined {
  switch (body.kind) {
    case 'commit':
      return `commit ${body.round}`;
    case 'header':
      return `header ${body.round} ${body.draw}`;
    case 'result':
      return `result ${body.round} ${body.trainer} ${body.segment}`;
    default:
      return undefined;
  }
}

function contentOf({ body }: VerifiedRecord): string {
  const { seq: _seq, seen: _seen, ...content } = body;
  return JSON.stringify(Object.entries(content).sort(([a], [b]) => (a < b ? -1 : 1)));
}
