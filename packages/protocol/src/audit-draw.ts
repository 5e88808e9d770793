/** After a round has ended: which trainers are audited, in which segment, by whom. */
import type { DeviceId, Hash } from '@folkmoot/core';
import { type AuditorRing, auditorOn, auditorRing, drawSegment } from './draw.ts';
import type { Context } from './events.ts';
import { auditSeed } from './seeds.ts';
import { settleAudit, settleSeat } from './settle.ts';
import { type Audit, type AuditStage, auditKey, isTainted, type State } from './state.ts';
import { addTimer } from './timers.ts';

/** Draws the audits of the round that is being finalized; included trainers that are not drawn are settled at once. */
export function drawAudits(state: State, context: Context): void {
  const seed = auditSeed(state);
  const ring = auditorRing(state, seed);
  for (const trainer of state.round.included) {
    const segment = drawSegment(state, seed, trainer);
    const audit = segment === undefined ? undefined : newAudit(state, seed, ring, trainer, segment);
    if (audit) begin(state, audit, context);
    else settleUndrawn(state, trainer, context);
  }
}

/** Gives the audit to the next auditor, or settles it where nobody is left or three have been drawn. */
export function redrawAuditor(state: State, audit: Audit, context: Context): void {
  const auditor = audit.auditors.length < 3 ? auditorOn(auditorRing(state, audit.auditSeed), state, audit) : undefined;
  if (auditor === undefined) return settleAudit(state, audit, inconclusive(audit), context);
  audit.auditor = auditor;
  audit.auditors.push(auditor);
  audit.result = null;
  state.members[auditor]!.audits.push(auditKey(audit.round, audit.trainer));
  setStage(state, audit, 'running', context);
  announce(audit, context);
}

/** Moves an audit on and starts the clock of whoever's turn it is. */
export function setStage(state: State, audit: Audit, stage: AuditStage, context: Context): void {
  const { openTraceMs, auditMs } = state.charter.timing;
  const durationMs = stage === 'opening' || stage === 'closing' ? openTraceMs : auditMs;
  audit.stage = stage;
  addTimer(state, {
    atMs: context.nowMs + durationMs,
    key: auditKey(audit.round, audit.trainer),
    stage,
    auditor: audit.auditor,
  });
}

/**
 * No two auditors agree. Where one of them found a mismatch it is a dispute, which pays nothing and refuses nothing, so
 * that neither a liar among the trainers nor one among the auditors gains. Bytes that two could not fetch were not
 * opened. Silence costs nothing.
 */
function inconclusive(audit: Audit): 'disputed' | 'unavailable' | 'matched' | 'no-verdict' {
  const outcomes = audit.verdicts.map((given) => given.outcome);
  if (outcomes.includes('mismatch')) return 'disputed';
  if (outcomes.includes('match') || outcomes.includes('within')) return 'matched';
  const unavailable = outcomes.filter((outcome) => outcome === 'unavailable').length;
  const nobodyElse = unavailable > 0 && unavailable === audit.auditors.length;
  return unavailable >= 2 || nobodyElse ? 'unavailable' : 'no-verdict';
}

function newAudit(state: State, seed: Hash, ring: AuditorRing, trainer: DeviceId, segment: number): Audit | undefined {
  const { round } = state;
  const seat = round.seats[trainer]!;
  const auditor = auditorOn(ring, state, { auditSeed: seed, trainer, auditors: [] });
  if (auditor === undefined) return undefined;
  return {
    round: round.number,
    base: state.base,
    previous: state.previous,
    trainer,
    seat: seat.seat,
    seed: round.seed,
    auditSeed: seed,
    commit: seat.commit!,
    carryIn: seat.carryIn,
    update: seat.update!,
    updateBytes: seat.updateBytes,
    segment,
    stage: 'opening',
    auditor,
    auditors: [auditor],
    opened: null,
    result: null,
    closed: null,
    verdicts: [],
  };
}

function begin(state: State, audit: Audit, context: Context): void {
  const key = auditKey(audit.round, audit.trainer);
  state.audits[key] = audit;
  state.openAudits[audit.round] = (state.openAudits[audit.round] ?? 0) + 1;
  state.members[audit.trainer]!.audits.push(key);
  state.members[audit.auditor]!.audits.push(key);
  setStage(state, audit, 'opening', context);
  announce(audit, context);
}

function announce({ round, trainer, auditor, segment }: Audit, context: Context): void {
  context.events.push({ kind: 'audit-drawn', round, trainer, auditor, segment });
}

function settleUndrawn(state: State, trainer: DeviceId, context: Context): void {
  const { round, members } = state;
  const { carryIn, commit, update } = round.seats[trainer]!;
  const outcome = isTainted(members[trainer]!, carryIn) ? 'tainted' : 'not-drawn';
  settleSeat(state, { round: round.number, device: trainer, outcome, commit: commit!.id, update: update! }, context);
}
