/** What an entry brought about, for those who watch: the terminal, the ledger's story, the simulator's checkers. */
import type { AccountId, DeviceId, Hash } from '@folkmoot/core';
import type { Outcome, Settlement } from '@folkmoot/ledger';
import type { Header, RecordKind } from '@folkmoot/records';
import type { Standing } from './cases.ts';
import type { Game } from './dispute-game.ts';
import type { GivenVerdict } from './state.ts';

/** `step` and `operator` from 0; null where the search did not come so far. */
export interface DisputeEnd {
  standing: Standing;
  moves: number;
  step: number | null;
  operator: number | null;
}

export type Event =
  | { kind: 'rejected'; record: Hash; recordKind: RecordKind; device: DeviceId; reason: string }
  | { kind: 'joined'; device: DeviceId; account: AccountId; name: string }
  | { kind: 'ready'; device: DeviceId }
  | { kind: 'away'; device: DeviceId; reason: string }
  | { kind: 'assigned'; round: number; trainers: DeviceId[]; witnesses: DeviceId[] }
  | { kind: 'handed-over'; round: number; seat: number; trainer: DeviceId; standIn: DeviceId; skip: number }
  | { kind: 'reproduction-drawn'; round: number; trainer: DeviceId; auditor: DeviceId; segments: number }
  | { kind: 'committed'; round: number; device: DeviceId }
  | { kind: 'revealed'; round: number; device: DeviceId; update: Hash; updateBytes: number }
  | { kind: 'redrawn'; round: number; draw: number; witnesses: DeviceId[] }
  | { kind: 'included'; round: number; trainers: DeviceId[] }
  | { kind: 'certified'; round: number; header: Hash; term: number }
  | {
      kind: 'finalized';
      round: number;
      /** The base before the round's own. */
      previous: Hash;
      header: Hash;
      content: Header;
      trainers: DeviceId[];
      updates: Hash[];
      /** Who could sign and seal it, and who has sealed. */
      electors: DeviceId[];
      seals: DeviceId[];
      term: number;
    }
  | {
      kind: 'term';
      term: number;
      sequencer: DeviceId;
      former: DeviceId;
      why: 'elected' | 'rotated' | 'at fault' | 'revoked';
    }
  | { kind: 'void'; round: number; reason: string }
  | { kind: 'audit-drawn'; round: number; trainer: DeviceId; auditor: DeviceId; segment: number }
  | { kind: 'audit-opened'; round: number; trainer: DeviceId; params: Hash; moments: Hash }
  | { kind: 'verdict'; round: number; trainer: DeviceId; verdict: GivenVerdict }
  | { kind: 'settled'; settlement: Settlement }
  | { kind: 'disputed'; round: number; trainer: DeviceId; accuser: DeviceId; moves: number; stage: Game['stage'] }
  | ({ kind: 'dispute-ended'; round: number; trainer: DeviceId; accuser: DeviceId } & DisputeEnd)
  /** What a dispute has proven replaces an earlier settlement. */
  | { kind: 'amended'; settlement: Settlement; former: Outcome }
  /** What a refuted finding had cost. */
  | { kind: 'restored'; device: DeviceId; round: number; amount: number }
  | { kind: 'forfeited'; device: DeviceId; round: number; amount: number }
  | { kind: 'asked-again'; round: number; trainer: DeviceId; auditor: DeviceId; segment: number }
  | { kind: 'overruled'; device: DeviceId; round: number; trainer: DeviceId }
  | { kind: 'frozen'; device: DeviceId; round: number }
  | { kind: 'thawed'; device: DeviceId; round: number }
  | { kind: 'revoked'; device: DeviceId; account: AccountId }
  | { kind: 'withdrawn'; issuer: DeviceId; key: DeviceId }
  | { kind: 'fault'; device: DeviceId; forfeited: number; first: Hash; second: Hash };

/** Where the parts of `apply` put their events, and the time that the entry gave. */
export interface Context {
  readonly nowMs: number;
  readonly index: number;
  readonly events: Event[];
}
