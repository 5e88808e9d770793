/**
 * How a member behaves: the door through which adversaries come.
 *
 * An honest member has none. Whatever a part leaves out is done as it should be, by the production code, which knows no
 * adversary. All that can be said and served goes through these four parts.
 */
import type { Clock, DeviceKey, Network } from '@folkmoot/core';
import type { Duty, Event } from '@folkmoot/protocol';
import type { Entry } from '@folkmoot/records';
import type { Offering } from './trainer.ts';
import type { Workbench } from './workbench.ts';

export interface Conduct {
  /** How a trainer comes to what it offers; the honest way is `trainHonestly`. */
  readonly offer?: Offering;
  /** Does a duty in its own way, or not at all; `honest` does it, or one like it, as it should be done. */
  readonly perform?: (
    bench: Workbench,
    duty: Duty,
    honest: (like?: Duty) => Promise<unknown>,
    signal: AbortSignal,
  ) => Promise<unknown>;
  /** Looks at every entry of the log once the member is in, and may say what nobody has asked for. */
  readonly watch?: (bench: Workbench, entry: Entry, events: readonly Event[]) => Promise<unknown> | undefined;
  /** Stands between the member and the network: what it serves, what it sends, how it orders the log. */
  readonly network?: (network: Network, self: { readonly key: DeviceKey; readonly clock: Clock }) => Network;
}
