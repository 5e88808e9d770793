/** What a member's node tells those who watch it, beside the log's own events. */
import type { AccountId, DeviceId, Hash } from '@folkmoot/core';
import type { Event } from '@folkmoot/protocol';
import type { Entry, RecordKind } from '@folkmoot/records';

export type Notice =
  | { kind: 'entry'; entry: Entry; events: readonly Event[] }
  | { kind: 'started'; device: DeviceId; account: AccountId; addresses: readonly string[] }
  | { kind: 'peer'; device: DeviceId; connected: boolean }
  | { kind: 'fetching'; what: string; doneBytes: number; sizeBytes: number }
  | {
      kind: 'training';
      round: number;
      segment: number;
      segments: number;
      firstLoss: number;
      loss: number;
      tokensPerSecond: number;
    }
  | { kind: 'auditing'; round: number; trainer: DeviceId; segment: number; tookMs: number }
  | { kind: 'adopted'; round: number; base: Hash }
  | { kind: 'evaluated'; round: number; base: Hash; holdoutLoss: number }
  | { kind: 'fork-seen'; device: DeviceId; index: number; mine: Hash; theirs: Hash }
  /** Entries after `index` were taken back: electors have voted their author away. */
  | { kind: 'turned'; index: number }
  /** One device has signed two entries for one place: `proof` is what `fault` takes. */
  | { kind: 'fork-proven'; device: DeviceId; term: number; index: number; proof: string }
  /** One device has signed two records for one place, of which the log has refused one. */
  | { kind: 'contradiction-proven'; device: DeviceId; what: RecordKind; proof: string }
  /** The sequencer did not take what the rules would have taken: this member has tried. */
  | { kind: 'left-out'; device: DeviceId; seq: number; sequencer: DeviceId; term: number; round: number }
  /** This elector has seen records left out in as many rounds of the term as the charter says: it votes for the next one. */
  | { kind: 'complained'; sequencer: DeviceId; term: number }
  | { kind: 'desync'; round: number; mine: Hash; theirs: Hash }
  | { kind: 'trouble'; error: unknown };
