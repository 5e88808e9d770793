/** Books a trainer's fate: into the ledger, into the member's standing, and as an event with its evidence. */
import type { DeviceId } from '@folkmoot/core';
import { type Evidence, forfeit, isPaid, type Outcome, restore, type Settlement, settle } from '@folkmoot/ledger';
import { segmentsAfter, segmentsPerRound } from '@folkmoot/records';
import { type Case, openCase } from './cases.ts';
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
  stand(state, audit, outcome);
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
  book(state, { round, device, outcome, segments: segmentsAfter(state.charter, audit), evidence }, context);
  keepStanding(state, audit, outcome, context);
  forget(state, audit);
  openCase(state, audit, outcome, outcome === 'mismatch' ? refuse(state, audit, context) : null, context);
}

/** The round has had its fate when it was not shown; what is found now decides about the locked credit. */
function settleAgain(state: State, audit: Audit, outcome: Outcome, context: Context): void {
  if (outcome === 'mismatch') refuse(state, audit, context);
  if (isShown(outcome)) settleStanding(state, audit.trainer, context);
  forget(state, audit);
}

/** What the outcome does to the trainer's standing: clean audits make audits rarer, a refusal starts from zeros. */
function stand(state: State, audit: Audit, outcome: Outcome): void {
  const member = state.members[audit.trainer]!;
  member.auditDue = outcome === 'no-verdict' || outcome === 'disputed';
  if (outcome === 'matched' || outcome === 'within') {
    member.cleanAudits++;
    member.overruled = false;
    member.verifiedSegments += segmentsAfter(state.charter, audit);
  } else if (!member.auditDue) {
    member.cleanAudits = 0;
    startFromZeros(state, audit);
  }
}

/** What the jury finds that no honest engine makes costs all that is still locked; anything else costs the round. */
function refuse(state: State, audit: Audit, context: Context): number | null {
  state.members[audit.trainer]!.failedAudits++;
  return isConvicted(state.charter, audit) ? convict(state, audit.trainer, audit.round, context) : null;
}

function startFromZeros(state: State, { trainer, round }: Audit): void {
  const member = state.members[trainer]!;
  member.refusedRounds = [...member.refusedRounds, round].slice(-REMEMBERED_REFUSALS);
  member.carry = zeroCarry(state.charter);
}

/** Takes what a device has locked, and returns how much: its fault is proven. */
export function convict(state: State, device: DeviceId, round: number, context: Context): number {
  const amount = forfeit(state.ledger, state.members[device]!.account);
  context.events.push({ kind: 'forfeited', device, round, amount });
  return amount;
}

/** An auditor's mismatch was refuted by running the operator. On `exact` it had nothing to be mistaken about. */
export function refute(state: State, accuser: DeviceId, round: number, context: Context): void {
  if (state.charter.engine.kind === 'exact') convict(state, accuser, round, context);
}

/** Replaces the settlement of a case by what a dispute has proven. What it pays is locked as its round's. */
export function amend(state: State, found: Case, outcome: Outcome, more: Partial<Evidence>, context: Context): void {
  const { audit, outcome: former } = found;
  const { account, banned } = state.members[audit.trainer]!;
  const segments = isPaid(outcome) && !isPaid(former) && !banned ? segmentsAfter(state.charter, audit) : 0;
  const evidence = { commit: audit.commit.id, update: audit.update, segment: audit.segment, entry: context.index };
  const settlement = { round: audit.round, device: audit.trainer, account, outcome, segments };
  const booked = { ...settlement, evidence: { ...evidence, ...more } };
  settle(state.ledger, state.charter.credit, booked);
  context.events.push({ kind: 'amended', settlement: booked, former });
  if (isPaid(outcome)) return;
  const member = state.members[audit.trainer]!;
  member.cleanAudits = 0;
  if (former !== 'mismatch') member.failedAudits++;
  if (isPaid(former) || former === 'disputed') startFromZeros(state, audit);
}

/** No accusation is left: the trainer is paid, and what was built on its state is not tainted by it. */
export function vindicate(state: State, found: Case, context: Context): void {
  const { audit, outcome } = found;
  const member = state.members[audit.trainer]!;
  member.refusedRounds = member.refusedRounds.filter((round) => round !== audit.round);
  if (outcome === 'mismatch') member.failedAudits--;
  if (found.forfeited) {
    restore(state.ledger, member.account, audit.round, found.forfeited);
    context.events.push({ kind: 'restored', device: audit.trainer, round: audit.round, amount: found.forfeited });
  }
  if (isPaid(outcome)) return;
  amend(state, found, 'upheld', { auditors: Object.keys(found.accusations) }, context);
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
