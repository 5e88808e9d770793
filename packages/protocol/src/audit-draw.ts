/** After a round has ended: which trainers are audited, in which segment, by whom. */
import type { DeviceId, Hash } from '@folkmoot/core';
import { segmentsAfter } from '@folkmoot/records';
import { type AuditorRing, auditorOn, auditorRing, auditPpm, drawSegment } from './draw.ts';
import type { Context } from './events.ts';
import { auditSeed } from './seeds.ts';
import { settleAudit, settleSeat } from './settle.ts';
import { standingAudits } from './standing-audits.ts';
import { type Audit, type AuditStage, auditKey, isTainted, type State } from './state.ts';
import { addTimer } from './timers.ts';
import { concluded, weighed } from './weigh.ts';

/** Draws the audits of the round that is being finalized; included trainers that are not drawn are settled at once. */
export function drawAudits(state: State, context: Context): void {
  const seed = auditSeed(state);
  const ring = auditorRing(state, seed);
  for (const trainer of state.round.included) {
    const segment = drawSegment(state, seed, trainer, segmentsAfter(state.charter, state.round.seats[trainer]!));
    const audit = segment === undefined ? undefined : newAudit(state, seed, trainer, segment);
    if (audit && ask(state, audit, ring, audit.wanted, context)) begin(state, audit, context);
    else settleUndrawn(state, trainer, context);
  }
  for (const audit of standingAudits(state)) begin(state, audit, context);
}

/** Weighs what was found so far: settles the audit, or asks more auditors. */
export function weigh(state: State, audit: Audit, context: Context): void {
  const outcome = weighed(state, audit);
  if (typeof outcome === 'string') return settleAudit(state, audit, outcome, context);
  if (!ask(state, audit, auditorRing(state, audit.auditSeed), outcome.ask, context))
    return settleAudit(state, audit, concluded(audit), context);
  setStage(state, audit, 'running', context);
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
    auditor: turnOf(audit),
  });
}

/** Names whose turn it is: the last that was drawn, since all who are asked at once have one deadline. */
export function turnOf({ auditors }: Pick<Audit, 'auditors'>): DeviceId {
  return auditors.at(-1) ?? '';
}

/** Asks `count` more auditors at once. Returns whether there was anybody to ask. */
function ask(state: State, audit: Audit, ring: AuditorRing, count: number, context: Context): boolean {
  const { round, trainer, segment } = audit;
  for (let i = 0; i < count; i++) {
    const auditor = auditorOn(ring, state, audit);
    if (auditor === undefined) break;
    audit.auditors.push(auditor);
    audit.asked.push({ auditor, result: null });
    state.members[auditor]!.audits.push(auditKey(round, trainer));
    context.events.push({ kind: audit.again ? 'asked-again' : 'audit-drawn', round, trainer, auditor, segment });
  }
  return audit.asked.length > 0;
}

/**
 * Two auditors where the trainer is trusted on its record, so that neither a friend nor a lazy one decides alone; one
 * where every round is audited, and little hangs on any.
 */
function newAudit(state: State, seed: Hash, trainer: DeviceId, segment: number): Audit {
  const { round, charter, members } = state;
  const seat = round.seats[trainer]!;
  return {
    round: round.number,
    base: state.base,
    previous: state.previous,
    trainer,
    seat: seat.seat,
    skip: seat.skip,
    seed: round.seed,
    auditSeed: seed,
    commit: seat.commit!,
    carryIn: seat.carryIn,
    update: seat.update!,
    updateBytes: seat.updateBytes,
    segment,
    wanted: auditPpm(charter.audit.floorPpm, members[trainer]!) < 1_000_000 ? 2 : 1,
    again: false,
    stage: 'opening',
    asked: [],
    auditors: [],
    opened: null,
    closed: null,
    verdicts: [],
  };
}

function begin(state: State, audit: Audit, context: Context): void {
  const key = auditKey(audit.round, audit.trainer);
  state.audits[key] = audit;
  // Rounds do not wait for what stands open: its trainer may never come back.
  if (!audit.again) state.openAudits[audit.round] = (state.openAudits[audit.round] ?? 0) + 1;
  state.members[audit.trainer]!.audits.push(key);
  setStage(state, audit, 'opening', context);
}

function settleUndrawn(state: State, trainer: DeviceId, context: Context): void {
  const { round, members, charter } = state;
  const seat = round.seats[trainer]!;
  const outcome = isTainted(members[trainer]!, seat.carryIn) ? 'tainted' : 'not-drawn';
  const evidence = { commit: seat.commit!.id, update: seat.update! };
  const segments = segmentsAfter(charter, seat);
  settleSeat(state, { round: round.number, device: trainer, outcome, segments, ...evidence }, context);
}
