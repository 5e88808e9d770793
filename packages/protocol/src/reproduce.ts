/**
 * Credit for a vanished trainer: an auditor re-executes, from the base and the carried moments on, the segments whose last
 * link was leased, and shows that link. Who invented a link shows nobody how to reach it.
 *
 * Bits decide, on every engine: nothing was opened, so there is nothing to measure a distance from. Two auditors may try.
 */
import type { DeviceId, Hash } from '@folkmoot/core';
import { leaseMark, type RecordOf, type VerifiedRecord } from '@folkmoot/records';
import { auditorOn, auditorRing } from './draw.ts';
import type { Context } from './events.ts';
import { auditSeed } from './seeds.ts';
import { settleSeat } from './settle.ts';
import { auditKey, type Carry, isTainted, type Seat, type State } from './state.ts';
import { addTimer } from './timers.ts';

/** A vanished trainer’s round whose leased part is being re-executed. */
export interface Reproduction {
  round: number;
  base: Hash;
  /** The base before: the round starts along the change from it, where the charter says so. */
  previous: Hash;
  trainer: DeviceId;
  seat: number;
  /** Segments of the seat before the trainer’s first. */
  skip: number;
  /** The round's seed: names the rows. */
  seed: Hash;
  auditSeed: Hash;
  carryIn: Carry;
  /** Segments that the lease claims, and the mark of the last one's link. */
  segment: number;
  mark: Hash;
  auditor: DeviceId;
  /** Everybody who was drawn, in order. */
  auditors: DeviceId[];
  /** What `lapsed` says where nothing comes of it. */
  standIn: DeviceId | null;
  entry: number;
}

/** Auditors that are drawn for one at most. */
const MAX_TRIES = 2;

/** Begins to reproduce what a lapsed trainer had leased; false where nothing was, or nobody could. */
export function beginReproduction(state: State, trainer: DeviceId, seat: Seat, context: Context): boolean {
  const { round, members } = state;
  const lapse = round.lapses[trainer];
  if (!lapse?.lease || lapse.entry === null || isTainted(members[trainer]!, seat.carryIn)) return false;
  const { standIn, entry } = lapse;
  const reproduction: Reproduction = {
    round: round.number,
    base: state.base,
    previous: state.previous,
    trainer,
    seat: seat.seat,
    skip: seat.skip,
    seed: round.seed,
    auditSeed: auditSeed(state),
    carryIn: seat.carryIn,
    segment: lapse.lease.segment,
    mark: lapse.lease.mark,
    auditor: trainer,
    auditors: [],
    standIn,
    entry,
  };
  return drawNext(state, reproduction, context);
}

export const reproduced = {
  check(state: State, body: RecordOf<'reproduced'>): string | null {
    const open = state.reproductions[reproductionKey(body.round, body.trainer)];
    if (!open || open.auditor !== body.device || open.base !== body.base)
      return 'nothing is to be reproduced by this device';
    if (body.segment !== open.segment) return 'the lease is about another segment';
    return body.link === null || leaseMark(body.link) === open.mark ? null : 'the link is not the leased one';
  },
  apply(state: State, { body }: VerifiedRecord<RecordOf<'reproduced'>>, context: Context): void {
    const open = state.reproductions[reproductionKey(body.round, body.trainer)]!;
    if (body.link === null) return tryAgain(state, open, context);
    const { segment, auditor } = open;
    const evidence = { segment, auditors: [auditor], entry: context.index };
    close(state, open);
    const { round, trainer: device } = open;
    // An earlier round may have been refused meanwhile, and with it what this one started from.
    if (isTainted(state.members[device]!, open.carryIn))
      return settleSeat(state, { round, device, outcome: 'tainted' }, context);
    settleSeat(state, { round, device, outcome: 'reproduced', segments: segment, ...evidence }, context);
  },
};

/** The auditor's time is over. */
export function expireReproduction(state: State, key: string, auditor: DeviceId, context: Context): void {
  const open = state.reproductions[key];
  if (open?.auditor === auditor) tryAgain(state, open, context);
}

/** What is still open of rounds more than two behind is given up: nobody waits for a vanished member's credit. */
export function giveUpOldReproductions(state: State, context: Context): void {
  for (const open of Object.values(state.reproductions)) {
    if (open.round >= state.round.number - 2) continue;
    close(state, open);
    settleLapsed(state, open, context);
  }
}

export function reproductionKey(round: number, trainer: DeviceId): string {
  return `reproduction ${auditKey(round, trainer)}`;
}

function tryAgain(state: State, open: Reproduction, context: Context): void {
  close(state, open);
  if (open.auditors.length < MAX_TRIES && drawNext(state, open, context)) return;
  settleLapsed(state, open, context);
}

function settleLapsed(state: State, open: Reproduction, context: Context): void {
  const { round, trainer: device, standIn, entry } = open;
  settleSeat(state, { round, device, outcome: 'lapsed', standIn, entry }, context);
}

function drawNext(state: State, open: Reproduction, context: Context): boolean {
  const auditor = auditorOn(auditorRing(state, open.auditSeed), state, open);
  if (auditor === undefined) return false;
  open.auditor = auditor;
  open.auditors.push(auditor);
  const key = reproductionKey(open.round, open.trainer);
  state.reproductions[key] = open;
  state.members[auditor]!.audits.push(key);
  const { auditMs } = state.charter.timing;
  addTimer(state, { atMs: context.nowMs + auditMs, key, stage: 'reproducing', auditor });
  const { round, trainer, segment: segments } = open;
  context.events.push({ kind: 'reproduction-drawn', round, trainer, auditor, segments });
  return true;
}

function close(state: State, { round, trainer, auditor }: Reproduction): void {
  const key = reproductionKey(round, trainer);
  delete state.reproductions[key];
  const member = state.members[auditor]!;
  member.audits = member.audits.filter((other) => other !== key);
}
