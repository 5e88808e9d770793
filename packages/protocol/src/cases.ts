/**
 * Cases: audits that ended with a mismatch among their findings, kept for as long as that finding can be disputed.
 *
 * The run does not wait for them. A seat is settled as its audit says; what a dispute proves changes the settlement later.
 */
import type { DeviceId } from '@folkmoot/core';
import type { Outcome } from '@folkmoot/ledger';
import type { Game } from './dispute-game.ts';
import type { Context } from './events.ts';
import { type Audit, auditKey, type State } from './state.ts';
import { addTimer } from './timers.ts';

/**
 * How an accusation stands: nobody has disputed it; a dispute runs; proven or refuted by an operator; taken back; or left as
 * it was, since the trainer or the judges were silent.
 */
export type Standing = 'made' | 'disputed' | 'proven' | 'refuted' | 'withdrawn' | 'left';

export interface Dispute {
  game: Game;
  /** What is left of each side's time, all its moves together. */
  clockMs: { trainer: number; accuser: number };
  turnAtMs: number;
  /** When the side whose turn it is has been silent for too long. */
  deadlineMs: number;
  /** Which draw of judges, from 0. */
  draw: number;
  judges: DeviceId[];
  rulings: Record<DeviceId, 'trainer' | 'accuser' | 'unavailable'>;
}

export interface Accusation {
  standing: Standing;
  part: 'segment' | 'encode';
  dispute: Dispute | null;
}

export interface Case {
  /** As it was when it was settled. */
  audit: Audit;
  outcome: Outcome;
  /** By auditor. */
  accusations: Record<DeviceId, Accusation>;
  /** Until then a dispute can be raised. */
  untilMs: number;
  /** What the finding has cost the trainer of locked credit, null where it costs none; it gets that back where no accusation is left. */
  forfeited: number | null;
}

/** Silence that a side may spend in a dispute, in terms of the time that an audit may take. */
const PATIENCE = 12;

/** In which audits a mismatch can still be disputed: nothing else depends on the finding. */
const DISPUTABLE: ReadonlySet<Outcome> = new Set(['mismatch', 'disputed', 'matched', 'within']);

/** How long a side of a dispute may be silent, all its moves together; and how long a dispute can be raised. */
export function patienceMs({ charter }: State): number {
  return PATIENCE * charter.timing.auditMs;
}

/** Opens a case where an audit that ends as `outcome` has found a mismatch. */
export function openCase(
  state: State,
  audit: Audit,
  outcome: Outcome,
  forfeited: number | null,
  context: Context,
): void {
  const accusers = audit.verdicts.filter((given) => given.outcome === 'mismatch');
  if (accusers.length === 0 || !DISPUTABLE.has(outcome)) return;
  const key = auditKey(audit.round, audit.trainer);
  const untilMs = context.nowMs + patienceMs(state);
  const accusations = Object.fromEntries(
    accusers.map(({ auditor, part }) => [auditor, { standing: 'made', part, dispute: null } satisfies Accusation]),
  );
  state.cases[key] = { audit, outcome, accusations, untilMs, forfeited };
  for (const device of [audit.trainer, ...Object.keys(accusations)]) involve(state, device, key);
  addTimer(state, { atMs: untilMs, key, stage: 'case', auditor: audit.trainer });
}

/** Puts a case on the list from which a device reads its duties. */
export function involve(state: State, device: DeviceId, key: string): void {
  const { cases } = state.members[device]!;
  if (!cases.includes(key)) cases.push(key);
}

/** Takes it off the list. */
export function release(state: State, device: DeviceId, key: string): void {
  const member = state.members[device]!;
  member.cases = member.cases.filter((other) => other !== key);
}

/** Whether a dispute can still be raised about an accusation. */
export function canRaise(state: State, found: Case, accusation: Accusation): boolean {
  return accusation.standing === 'made' && state.head.atMs < found.untilMs;
}
