/**
 * What a device owes right now, read off the state.
 *
 * Duties are levels, not edges: a node that restarts asks again and goes on where it stopped. A duty disappears from the
 * list when its record is in the log.
 */
import type { DeviceId, Hash } from '@folkmoot/core';
import { type DisputeDuty, disputeDuties } from './dispute-duties.ts';
import type { Subject } from './help.ts';
import type { Reproduction } from './reproduce.ts';
import { canAnswer } from './reserves.ts';
import { includedUpdates } from './round.ts';
import { isForestalled } from './seat-rivals.ts';
import { type Audit, type ExpectedHeader, isBarred, type Seat, type State } from './state.ts';

export type Duty =
  | { kind: 'ready' }
  | { kind: 'train'; round: number; base: Hash; previous: Hash; seed: Hash; seat: Seat }
  | { kind: 'answer'; round: number; base: Hash; seat: number }
  | { kind: 'reveal'; round: number; base: Hash }
  | {
      kind: 'attest';
      round: number;
      base: Hash;
      draw: number;
      updates: { trainer: DeviceId; update: Hash; updateBytes: number }[];
    }
  | {
      kind: 'finalize';
      round: number;
      base: Hash;
      previous: Hash;
      updates: Hash[];
      expected: ExpectedHeader;
    }
  | { kind: 'seal'; round: number; base: Hash; header: Hash; prev: Hash }
  | { kind: 'open'; audit: Audit }
  | { kind: 'close'; audit: Audit }
  | { kind: 'audit'; audit: Audit }
  | { kind: 'judge'; audit: Audit }
  | { kind: 'reproduce'; reproduction: Reproduction }
  | DisputeDuty
  | { kind: 'score'; round: number; base: Hash; previous: Hash; seed: Hash; rowsSeed: Hash; subject: Subject };

/** The duties of `device`, the most urgent first. Cost: the device's own audits and the round's witnesses. */
export function duties(state: State, device: DeviceId): Duty[] {
  const member = state.members[device];
  if (!member || isBarred(member)) return [];
  return [
    ...auditDuties(state, device),
    ...roundDuties(state, device),
    ...disputeDuties(state, device),
    ...scoreDuties(state, device),
    ...(member.ready ? [] : [{ kind: 'ready' } as const]),
  ];
}

/** Nobody waits for these. */
function scoreDuties(state: State, device: DeviceId): Duty[] {
  return Object.values(state.scorings).flatMap(({ round, base, previous, seed, rowsSeed, owed }) =>
    owed[device] ? [{ kind: 'score', round, base, previous, seed, rowsSeed, subject: owed[device] } as const] : [],
  );
}

function roundDuties(state: State, device: DeviceId): Duty[] {
  const { round, base, previous } = state;
  const seat = round.seats[device];
  const place = { round: round.number, base };
  if (round.phase === 'train' && seat && !seat.commit && !isForestalled(round, device))
    return [
      ...(canAnswer(state, device) ? [{ kind: 'answer', ...place, seat: seat.seat } as const] : []),
      { kind: 'train', ...place, previous, seed: round.seed, seat },
    ];
  if (round.phase === 'reveal' && seat?.commit && !seat.update) return [{ kind: 'reveal', ...place }];
  if (round.phase === 'witness' && round.witnesses.includes(device) && !round.attested[device])
    return [{ kind: 'attest', ...place, draw: round.draw, updates: updatesToAttest(state, device) }];
  if (!state.electors.includes(device)) return [];
  if (round.phase === 'finalize' && !round.signed[device])
    return [
      {
        kind: 'finalize',
        ...place,
        previous,
        updates: includedUpdates(state),
        expected: round.expected!,
      },
    ];
  if (round.phase === 'seal' && !round.sealed.includes(device))
    return [{ kind: 'seal', ...place, header: round.certified!.header, prev: state.lastHeader }];
  return [];
}

/** Each update once, whoever offers it: two that offer the same bytes must not make a witness repeat itself. */
function updatesToAttest({ round, members }: State, witness: DeviceId) {
  const own = members[witness]!.account;
  const open = new Map<Hash, { trainer: DeviceId; update: Hash; updateBytes: number }>();
  for (const [trainer, { update, updateBytes }] of Object.entries(round.seats))
    if (update !== null && members[trainer]!.account !== own) open.set(update, { trainer, update, updateBytes });
  return [...open.values()];
}

function auditDuties(state: State, device: DeviceId): Duty[] {
  return state.members[device]!.audits.flatMap((key): Duty[] => {
    const reproduction = state.reproductions[key];
    if (reproduction) return reproduction.auditor === device ? [{ kind: 'reproduce', reproduction }] : [];
    const audit = state.audits[key]!;
    if (audit.trainer === device) {
      if (audit.stage === 'opening') return [{ kind: 'open', audit }];
      return audit.stage === 'closing' ? [{ kind: 'close', audit }] : [];
    }
    const asked = audit.asked.find(({ auditor }) => auditor === device);
    if (!asked) return [];
    if (audit.stage === 'running') return asked.result === null ? [{ kind: 'audit', audit }] : [];
    return audit.stage === 'judging' ? [{ kind: 'judge', audit }] : [];
  });
}
