/**
 * Audits: the trainer opens the drawn segment's start, the auditor commits to what came out, the trainer opens the end,
 * the auditor gives its verdict. The reducer checks every opening against the committed trace.
 */
import type { DeviceId } from '@folkmoot/core';
import {
  checkOpening,
  encodeLink,
  type RecordOf,
  resultOf,
  rowsId,
  segmentLink,
  segmentsAfter,
  startLink,
  stateRoot,
  type VerifiedRecord,
} from '@folkmoot/records';
import { setStage, turnOf, weigh } from './audit-draw.ts';
import type { Context } from './events.ts';
import { expireReproduction } from './reproduce.ts';
import { settleAudit } from './settle.ts';
import { type Asked, type Audit, auditKey, type State, type Timer } from './state.ts';

type AuditBody = RecordOf<'open' | 'close' | 'result' | 'verdict'>;

export const open = {
  check(state: State, body: RecordOf<'open'>): string | null {
    const audit = find(state, body, body.device);
    if (!audit || audit.segment !== body.segment || audit.stage !== 'opening') return 'no such segment is to be opened';
    return isOpening(state, audit, body) ? null : 'the opening does not match the committed trace';
  },
  apply(state: State, { body }: VerifiedRecord<RecordOf<'open'>>, context: Context): void {
    const audit = find(state, body, body.device)!;
    audit.opened = { params: body.params, moments: body.moments, previous: startOf(state, audit, body) };
    if (audit.asked.length > 0) setStage(state, audit, 'running', context);
    else weigh(state, audit, context);
    context.events.push({
      kind: 'audit-opened',
      round: audit.round,
      trainer: audit.trainer,
      params: body.params,
      moments: body.moments,
    });
  },
};

export const result = {
  check(state: State, body: RecordOf<'result'>): string | null {
    const audit = findAsAuditor(state, body);
    const isDue = audit?.stage === 'running' && askedOf(audit, body.device)?.result === null;
    return isDue ? null : 'no result is due from this device';
  },
  apply(state: State, { body }: VerifiedRecord<RecordOf<'result'>>, context: Context): void {
    const audit = findAsAuditor(state, body)!;
    askedOf(audit, body.device)!.result = body.result;
    goOn(state, audit, context);
  },
};

export const close = {
  check(state: State, body: RecordOf<'close'>): string | null {
    const audit = find(state, body, body.device);
    if (!audit || audit.segment !== body.segment || audit.stage !== 'closing') return 'no such segment is to be closed';
    return isClosing(state, audit, body) ? null : 'the opening does not match the committed trace';
  },
  apply(state: State, { body }: VerifiedRecord<RecordOf<'close'>>, context: Context): void {
    const audit = find(state, body, body.device)!;
    audit.closed = { endParams: body.endParams, endMoments: body.endMoments, lastParams: body.lastParams };
    setStage(state, audit, 'judging', context);
  },
};

export const verdict = {
  check(state: State, body: RecordOf<'verdict'>): string | null {
    const audit = findAsAuditor(state, body);
    if (!audit || (audit.stage !== 'running' && audit.stage !== 'judging')) return 'no verdict is due from this device';
    if (body.outcome === 'abstain' || body.outcome === 'unavailable') return null;
    return contradiction(state, audit, body);
  },
  apply(state: State, record: VerifiedRecord<RecordOf<'verdict'>>, context: Context): void {
    const audit = findAsAuditor(state, record.body)!;
    const { device, outcome, part, distancePpm, tensor, trainer } = record.body;
    const given = { id: record.id, auditor: device, outcome, part, distancePpm, tensor };
    audit.verdicts.push(given);
    audit.asked = audit.asked.filter(({ auditor }) => auditor !== device);
    context.events.push({ kind: 'verdict', round: audit.round, trainer, verdict: given });
    goOn(state, audit, context);
  },
};

/** A timer of an audit is due: whoever's turn it was has been silent. */
export function expireAudit(state: State, timer: Timer, context: Context): void {
  if (timer.stage === 'reproducing') return expireReproduction(state, timer.key, timer.auditor, context);
  const audit = state.audits[timer.key];
  if (!audit || audit.stage !== timer.stage || turnOf(audit) !== timer.auditor) return;
  if (audit.stage === 'opening' || audit.stage === 'closing') {
    if (isWaitedFor(state, audit)) return setStage(state, audit, audit.stage, context);
    return settleAudit(state, audit, 'not-opened', context);
  }
  audit.asked = audit.stage === 'running' ? audit.asked.filter(({ result }) => result !== null) : [];
  goOn(state, audit, context);
}

/**
 * Who is away has until the next round is over to come back and show its trace: a machine that starts again must not cost
 * a round that was delivered. Audits may be two rounds behind, so that nobody waits for this.
 */
function isWaitedFor({ round, members }: State, audit: Audit): boolean {
  return !audit.again && !members[audit.trainer]!.ready && audit.round >= round.number - 1;
}

/**
 * The audit moves on when all who are asked have spoken: nobody's result is known before the others have committed to
 * theirs, and the trainer closes only then.
 */
function goOn(state: State, audit: Audit, context: Context): void {
  if (audit.asked.length === 0) return weigh(state, audit, context);
  if (audit.stage !== 'running' || audit.asked.some(({ result }) => result === null)) return;
  setStage(state, audit, audit.closed ? 'judging' : 'closing', context);
}

/** What arithmetic decides is not left to the auditor: equal roots are a match, unequal ones are not. */
function contradiction(state: State, audit: Audit, body: RecordOf<'verdict'>): string | null {
  if (audit.stage !== 'judging' || !audit.closed) return 'a verdict comes after the trace is closed';
  if (body.stateRoot === null || body.salt === null) return 'a verdict shows the computed state';
  if (resultOf(body.stateRoot, body.salt, body.device) !== askedOf(audit, body.device)!.result)
    return 'the verdict is not the committed result';
  const equal = body.stateRoot === stateRoot({ params: audit.closed.endParams, moments: audit.closed.endMoments });
  if (body.outcome === 'match' && !equal) return 'a match with unequal bits';
  const { tolerancePpm } = state.charter.engine;
  if (body.outcome === 'within' && (equal || body.distancePpm < 1 || body.distancePpm > tolerancePpm))
    return 'not within tolerance';
  if (body.outcome === 'mismatch' && body.part === 'segment' && equal) return 'a mismatch with equal bits';
  return null;
}

function find(state: State, body: AuditBody, trainer: DeviceId): Audit | undefined {
  const audit = state.audits[auditKey(body.round, trainer)];
  return audit && audit.base === body.base ? audit : undefined;
}

function findAsAuditor(state: State, body: RecordOf<'result' | 'verdict'>): Audit | undefined {
  const audit = find(state, body, body.trainer);
  return audit && askedOf(audit, body.device) && audit.segment === body.segment ? audit : undefined;
}

function askedOf({ asked }: Audit, device: DeviceId): Asked | undefined {
  return asked.find(({ auditor }) => auditor === device);
}

function isOpening(state: State, audit: Audit, body: RecordOf<'open'>): boolean {
  if (body.start.index !== audit.segment - 1) return false;
  if (audit.segment === 1) {
    const public_ = body.params === audit.base && body.moments === audit.carryIn.moments && body.previous === null;
    if (!public_) return false;
  } else if (body.previous === null) return false;
  return checkOpening(audit.commit.traceRoot, links(state, audit), body.start, startOf(state, audit, body));
}

/** The link at which the segment starts, recomputed from what the trainer says it stands for. */
function startOf(_state: State, audit: Audit, body: RecordOf<'open'>): string {
  if (body.previous === null) return startLink(audit.base, audit.seed, audit.seat, audit.carryIn.moments);
  return segmentLink(body.previous, body, rowsId(audit.seed, audit.seat, audit.skip + audit.segment - 1));
}

function isClosing(state: State, audit: Audit, body: RecordOf<'close'>): boolean {
  const segments = segmentsAfter(state.charter, audit);
  const { traceRoot, momentsOut, errorOut } = audit.commit;
  const rows = (segment: number) => rowsId(audit.seed, audit.seat, audit.skip + segment);
  const end = segmentLink(
    audit.opened!.previous,
    { params: body.endParams, moments: body.endMoments },
    rows(audit.segment),
  );
  const last = segmentLink(body.lastPrevious, { params: body.lastParams, moments: momentsOut }, rows(segments));
  const encode = encodeLink(last, audit.update, audit.carryIn.error, errorOut);
  if (audit.segment === segments && end !== last) return false;
  return (
    body.end.index === audit.segment &&
    body.last.index === segments &&
    body.encode.index === segments + 1 &&
    checkOpening(traceRoot, links(state, audit), body.end, end) &&
    checkOpening(traceRoot, links(state, audit), body.last, last) &&
    checkOpening(traceRoot, links(state, audit), body.encode, encode)
  );
}

const links = (state: State, audit: Audit) => segmentsAfter(state.charter, audit) + 2;
