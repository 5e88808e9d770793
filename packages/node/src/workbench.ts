/** What the roles share: this member's state of the run, its disk, its voice, and the work that it can do. */
import type { Cells, Clock, DeviceKey, Hash } from '@folkmoot/core';
import type { Charter } from '@folkmoot/records';
import type { Artifacts } from './artifacts.ts';
import type { Bases } from './bases.ts';
import type { Leases } from './leases.ts';
import type { Log } from './log.ts';
import type { Notice } from './notices.ts';
import type { Promises } from './promises.ts';
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
  readonly leases: Leases;
  readonly cells: Cells;
  readonly clock: Clock;
  /** What this device has promised about the round's end. */
  readonly promises: Promises;
  /** A secret of this device and a purpose: salts, blinds, the seed chain. */
  secret(purpose: string): Hash;
  notify(notice: Notice): void;
}
