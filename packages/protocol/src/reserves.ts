/**
 * Lapses: whose leases have stopped coming, and who takes over the rows.
 *
 * Keepers, drawn with the round, say which trainers have shown no sign of life for the charter's time. When more than two
 * thirds of those who are here say it of one, nobody waits for it any more, and the next reserve gets what it had not
 * leased of its seat, if that can still be done in time. Nothing is taken from the trainer: the first commit for a seat counts, whoever's it is,
 * and who is only thought to have gone says `alive`.
 */
import { type DeviceId, type Hash, isTwoThirds } from '@folkmoot/core';
import {
  isSignedLease,
  type Lease,
  type RecordOf,
  segmentsAfter,
  segmentsPerRound,
  type VerifiedRecord,
} from '@folkmoot/records';
import { ranked } from './draw.ts';
import type { Context } from './events.ts';
import * as membership from './membership.ts';
import { graceAfter, usualMs } from './pace.ts';
import { isForestalled } from './seat-rivals.ts';
import { isBarred, type Lapse, type State } from './state.ts';
import { recounting } from './tally.ts';

/** So many witnesses keep leases at most: each trainer writes to all of them every few seconds. */
const MAX_KEEPERS = 16;

/** Answers of one trainer to one round's lapses; after that its keepers may be right. */
export const MAX_ANSWERS = 2;

/** Those of a round's witnesses who keep the leases. */
export function drawKeepers(state: State, seed: Hash, witnesses: readonly DeviceId[]): DeviceId[] {
  return state.charter.lease ? ranked(witnesses, 'keepers', seed).slice(0, MAX_KEEPERS).sort() : [];
}

/** Whether a keeper may say that `trainer` has lapsed. */
export function canLapse(state: State, keeper: DeviceId, trainer: DeviceId): boolean {
  const { round, members } = state;
  const seat = round.seats[trainer];
  if (round.phase !== 'train' || !round.keepers.includes(keeper) || !seat || seat.commit) return false;
  if (!members[trainer]!.ready || members[trainer]!.account === members[keeper]!.account) return false;
  const noted = round.lapses[trainer];
  return !isForestalled(round, trainer) && (!noted || (noted.standIn === null && !noted.by.includes(keeper)));
}

/** Whether the device has been said to have lapsed, and may say otherwise. */
export function canAnswer({ round }: State, device: DeviceId): boolean {
  const noted = round.lapses[device];
  if (round.phase !== 'train' || !noted || round.seats[device]?.commit) return false;
  return noted.by.length > 0 && noted.standIn === null && noted.answers < MAX_ANSWERS;
}

export const lapse = {
  check(state: State, { device, seats }: RecordOf<'lapse'>): string | null {
    const trainers = new Set(seats.map(({ trainer }) => trainer));
    if (trainers.size < seats.length) return 'a trainer is named twice';
    const fresh = seats.filter(({ trainer }) => canLapse(state, device, trainer));
    if (fresh.length === 0) return 'of none of these trainers can this device say that it has lapsed';
    return fresh.every(({ trainer, lease }) => lease === null || isLeaseOf(state, trainer, lease))
      ? null
      : 'a lease is not the trainer’s of this round';
  },
  /** What a commit or another keeper has overtaken meanwhile is left out, not refused with the rest. */
  apply(state: State, { body }: VerifiedRecord<RecordOf<'lapse'>>, context: Context): void {
    for (const { trainer, lease } of body.seats) {
      if (!canLapse(state, body.device, trainer)) continue;
      const noted = noteLapse(state, trainer);
      noted.by.push(body.device);
      if (lease && isNewer(noted, lease)) noted.lease = { segment: lease.body.segment, mark: lease.body.mark };
      const keepers = keepersOf(state, trainer);
      const votes = keepers.filter((keeper) => noted.by.includes(keeper)).length;
      if (isTwoThirds(votes, keepers.length)) release(state, trainer, context);
    }
  },
};

export const alive = {
  check(state: State, { device, seat }: RecordOf<'alive'>): string | null {
    if (state.round.seats[device]?.seat !== seat) return 'this seat is another device’s';
    return canAnswer(state, device) ? null : 'nobody asks for a sign of life';
  },
  apply({ round }: State, { body }: VerifiedRecord<RecordOf<'alive'>>, { nowMs }: Context): void {
    const noted = round.lapses[body.device]!;
    noted.by = [];
    noted.answers++;
    noted.answeredAtMs = nowMs;
  },
};

/** Whoever leaves in mid-round need not be missed first. */
export const leave = {
  check: membership.leave.check,
  apply(state: State, record: VerifiedRecord<RecordOf<'leave'>>, context: Context): void {
    const { device } = record.body;
    membership.leave.apply(state, record, context);
    const { phase, seats } = state.round;
    if (phase !== 'train' || !seats[device] || seats[device].commit || isForestalled(state.round, device)) return;
    if (noteLapse(state, device).standIn === null) release(state, device, context);
  },
};

/** Nobody waits for the trainer, and its seat goes to the next reserve that can still make it. */
function release(state: State, trainer: DeviceId, context: Context): void {
  const { round } = state;
  const noted = round.lapses[trainer]!;
  noted.entry = context.index;
  membership.setAway(state, trainer, `no sign of life in round ${round.number}`, context);
  const { seat, skip: skipped } = round.seats[trainer]!;
  // What is leased is re-executed and paid: nobody works it a second time.
  const skip = skipped + (noted.lease?.segment ?? 0);
  const standIn = suffices(state, skip, context.nowMs) ? nextReserve(state) : undefined;
  if (standIn === undefined) return;
  recounting(state, trainer, () => {
    noted.standIn = standIn;
  });
  recounting(state, standIn, () => {
    round.standsFor[standIn] = trainer;
    const carryIn = { ...state.members[standIn]!.carry };
    round.seats[standIn] = { seat, skip, carryIn, commit: null, update: null, updateBytes: 0 };
  });
  context.events.push({ kind: 'handed-over', round: round.number, seat, trainer, standIn, skip });
}

/** Whether there is work left of a seat, and time for it before the phase is likely to end. */
function suffices(state: State, skip: number, nowMs: number): boolean {
  const left = segmentsAfter(state.charter, { skip });
  if (left === 0) return false;
  const { phaseAtMs, deadlineMs, grace } = state.round;
  const spentMs = nowMs - phaseAtMs;
  // Where nothing is known yet, others have needed at least as long as has passed.
  const roundMs = usualMs(state, 'train') || spentMs;
  const needMs = Math.ceil((roundMs * left) / segmentsPerRound(state.charter));
  const endMs = grace ? deadlineMs! : Math.min(deadlineMs!, phaseAtMs + roundMs + graceAfter(state, roundMs));
  return state.pace.train.length > 0 ? nowMs + needMs <= endMs : nowMs + needMs <= deadlineMs!;
}

function nextReserve({ round, members }: State): DeviceId | undefined {
  for (let next = round.reserves.shift(); next !== undefined; next = round.reserves.shift())
    if (members[next]!.ready && !isBarred(members[next]!)) return next;
  return undefined;
}

function noteLapse({ round }: State, trainer: DeviceId): Lapse {
  round.lapses[trainer] ??= { by: [], lease: null, answers: 0, answeredAtMs: 0, standIn: null, entry: null };
  return round.lapses[trainer];
}

/** The keepers that are here and of other accounts: those who are away could only keep a seat from being handed over. */
function keepersOf({ round, members }: State, trainer: DeviceId): DeviceId[] {
  const own = members[trainer]!.account;
  return round.keepers.filter((keeper) => members[keeper]!.ready && members[keeper]!.account !== own);
}

/** A signature is looked at only where the lease would tell something new. */
function isLeaseOf(state: State, trainer: DeviceId, lease: Lease): boolean {
  const { round, base, run, charter } = state;
  const { body } = lease;
  const seat = round.seats[trainer]!;
  const here = body.run === run && body.round === round.number && body.base === base;
  if (!here || body.device !== trainer || body.seat !== seat.seat || body.segment > segmentsAfter(charter, seat))
    return false;
  return !isNewer(round.lapses[trainer], lease) || isSignedLease(lease);
}

function isNewer(noted: Lapse | undefined, { body }: Lease): boolean {
  return body.segment > (noted?.lease?.segment ?? 0);
}
