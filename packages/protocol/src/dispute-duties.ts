/** What a device owes in the cases that concern it. */
import type { DeviceId } from '@folkmoot/core';
import { isPaid } from '@folkmoot/ledger';
import { type Accusation, type Case, canRaise } from './cases.ts';
import type { Game } from './dispute-game.ts';
import type { State } from './state.ts';

export type DisputeDuty =
  /** A finding against this trainer, or of this auditor, that can be disputed. */
  | { kind: 'contest' | 'accuse'; found: Case; accuser: DeviceId }
  /** `defend`: the trainer's claim or children; `point`: the accuser's finger; `provide`: what judges fetch; `rule`: a ruling. */
  | { kind: 'defend' | 'point' | 'provide' | 'rule'; found: Case; accuser: DeviceId; game: Game };

export function disputeDuties(state: State, device: DeviceId): DisputeDuty[] {
  return state.members[device]!.cases.flatMap((key) => {
    const found = state.cases[key]!;
    return Object.entries(found.accusations).flatMap(([accuser, accusation]): DisputeDuty[] => {
      const side = found.audit.trainer === device ? 'trainer' : accuser === device ? 'accuser' : 'other';
      if (accusation.dispute) return running(found, accuser, accusation, device, side);
      if (!canRaise(state, found, accusation)) return [];
      // Whoever is paid has nothing to contest.
      if (side === 'trainer') return isPaid(found.outcome) ? [] : [{ kind: 'contest', found, accuser }];
      // Where two agree on the exact engine, locked credit is forfeited already.
      return side === 'accuser' && found.forfeited === null ? [{ kind: 'accuse', found, accuser }] : [];
    });
  });
}

function running(
  found: Case,
  accuser: DeviceId,
  { dispute }: Accusation,
  device: DeviceId,
  side: 'trainer' | 'accuser' | 'other',
): DisputeDuty[] {
  const { game, judges, rulings } = dispute!;
  const duty = (kind: 'defend' | 'point' | 'provide' | 'rule'): DisputeDuty[] => [{ kind, found, accuser, game }];
  if (game.turn === 'judges') {
    if (side !== 'other') return duty('provide');
    return judges.includes(device) && !rulings[device] ? duty('rule') : [];
  }
  if (side !== game.turn) return [];
  return duty(side === 'trainer' ? 'defend' : 'point');
}
