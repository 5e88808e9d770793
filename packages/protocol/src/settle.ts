/** Books a trainer's fate: into the ledger, into the member's standing, and as an event with its evidence. */
import type { DeviceId } from '@folkmoot/core';
import { type Evidence, forfeit, isPaid, type Outcome, type Settlement, settle } from '@folkmoot/ledger';
import { segmentsPerRound } from '@folkmoot/records';
import type { Context } from './events.ts';
import { isShown, keepStanding, settleStanding } from './standing-audits.ts';
import { type Audit, auditKey, isTainted, type State, zeroCarry } from './state.ts';
import { agreeing, isConvicted, overruled } from './weigh.ts';

/** Audits run at most two rounds behind, so older refusals concern no chain that is still open. */
const REMEMBERED_REFUSALS = 8;

/** Settles a seat that no audit concerns. */
export function settleSeat(
  state: State,
  fate: { round: number; device: DeviceId; outcome: Outcome; segments?: number } & Evidence,
  context: Context,
): void {
  const { round, device, outcome, segments = segmentsPerRound(state.charter), ...evidence } = fate;
  book(state, { round, device, outcome, segments, evidence: { entry: context.index, ...evidence } }, context);
}

/** Settles an audited seat and closes the audit. */
export function settleAudit(state: State, audit: Audit, verdict: Outcome, context: Context): void {
  markOverruled(state, audit, context);
  if (audit.again) return settleAgain(state, audit, verdict, context);
  const member = state.members[audit.trainer]!;
  // What was built on a refused state is not paid for, or one honest round would launder an invented one.
  const outcome = isTainted(member, audit.carryIn) ? 'tainted' : verdict;
  stand(state, audit, outcome, context);
  const findings = agreeing(audit, outcome);
  const decisive = findings.at(-1);
  const evidence: Evidence = {
    commit: audit.commit.id,
    update: audit.update,
    segment: audit.segment,
    auditors: findings.map((given) => given.auditor),
    verdicts: findings.map((given) => given.id),
    entry: context.index,
    ...(decisive && { distancePpm: decisive.distancePpm, tensor: decisive.tensor, part: decisive.part }),
  };
  const { round, trainer: device } = audit;
  book(state, { round, device, outcome, segments: segmentsPerRound(state.charter), evidence }, context);
  keepStanding(state, audit, outcome, context);
  forget(state, audit);
}

/** The round has had its fate when it was not shown; what is found now decides about the locked credit. */
function settleAgain(state: State, audit: Audit, outcome: Outcome, context: Context): void {
  if (outcome === 'mismatch') refuse(state, audit, context);
  if (isShown(outcome)) settleStanding(state, audit.trainer, context);
  forget(state, audit);
}

/** What the outcome does to the trainer's standing: clean audits make audits rarer, a refusal starts from zeros. */
function stand(state: State, audit: Audit, outcome: Outcome, context: Context): void {
  const member = state.members[audit.trainer]!;
  member.auditDue = outcome === 'no-verdict' || outcome === 'disputed';
  if (outcome === 'matched' || outcome === 'within') {
    member.cleanAudits++;
    member.overruled = false;
    member.verifiedSegments += segmentsPerRound(state.charter);
  } else if (!member.auditDue) {
    member.cleanAudits = 0;
    member.refusedRounds = [...member.refusedRounds, audit.round].slice(-REMEMBERED_REFUSALS);
    member.carry = zeroCarry(state.charter);
    if (outcome === 'mismatch') refuse(state, audit, context);
  }
}

/** What the jury finds that no honest engine makes costs all that is still locked; anything else costs the round. */
function refuse(state: State, audit: Audit, context: Context): void {
  const member = state.members[audit.trainer]!;
  member.failedAudits++;
  if (!isConvicted(state.charter, audit)) return;
  const amount = forfeit(state.ledger, member.account);
  context.events.push({ kind: 'forfeited', device: audit.trainer, round: audit.round, amount });
}

/** Whoever was contradicted by so many is audited itself before it is asked again. It costs nothing else. */
function markOverruled(state: State, audit: Audit, context: Context): void {
  for (const device of overruled(state.charter, audit)) {
    const member = state.members[device]!;
    member.overruled = true;
    member.cleanAudits = 0;
    context.events.push({ kind: 'overruled', device, round: audit.round, trainer: audit.trainer });
  }
}

function book(state: State, fate: Omit<Settlement, 'account'>, context: Context): void {
  const member = state.members[fate.device]!;
  const segments = isPaid(fate.outcome) && !member.banned ? fate.segments : 0;
  const settlement = { ...fate, account: member.account, segments };
  settle(state.ledger, state.charter.credit, settlement);
  context.events.push({ kind: 'settled', settlement });
}

function forget(state: State, audit: Audit): void {
  const key = auditKey(audit.round, audit.trainer);
  delete state.audits[key];
  if (!audit.again && --state.openAudits[audit.round]! === 0) delete state.openAudits[audit.round];
  for (const device of [audit.trainer, ...audit.auditors]) {
    const member = state.members[device]!;
    member.audits = member.audits.filter((other) => other !== key);
  }
}
