/** What the roles share: this member's state of the run, its disk, its voice, and the work that it can do. */
import type { Cells, Clock, DeviceId, DeviceKey, Hash } from '@folkmoot/core';
import type { Charter } from '@folkmoot/records';
import type { Artifacts } from './artifacts.ts';
import type { Bases } from './bases.ts';
import type { Log } from './log.ts';
import type { Notice } from './notices.ts';
import type { Voice } from './voice.ts';
import type { Work } from './work.ts';

export interface Workbench {
  readonly charter: Charter;
  readonly key: DeviceKey;
  readonly log: Log;
  readonly voice: Voice;
  readonly work: Work;
  readonly artifacts: Artifacts;
  readonly bases: Bases;
  readonly cells: Cells;
  readonly clock: Clock;
  /** A secret of this device and a purpose: salts, blinds, the seed chain. */
  secret(purpose: string): Hash;
  notify(notice: Notice): void;
}

/** Sizes of the artifacts of a state: fixed by the charter, known before a byte arrives. */
export function artifactSizes(charter: Charter): { params: number; moments: number; error: number } {
  const { parameters } = charter;
  return { params: 4 * parameters, moments: 4 * parameters, error: 2 * parameters };
}

/** Devices that are likely to hold what `device` made: itself, then the sequencer. */
export function likely(charter: Charter, device: DeviceId): DeviceId[] {
  return [device, charter.sequencer];
}
