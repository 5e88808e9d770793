/** What colluders share: who they are, and what each has claimed. Whoever acts alone has a plan of its own. */
import type { DeviceId } from '@folkmoot/core';
import type { Conduct, Offering } from '@folkmoot/node';
import type { StateIds } from '@folkmoot/records';

export class Plan {
  readonly devices = new Set<DeviceId>();
  /** The claimed end of each segment, by round and trainer. */
  readonly #claims = new Map<string, readonly StateIds[]>();

  /** The device takes part in the plan from the moment at which it connects. */
  readonly enrol: NonNullable<Conduct['network']> = (network, { key }) => {
    this.devices.add(key.id);
    return network;
  };

  /** `offer`, whose claims the accomplices learn before anybody else. */
  told(offer: Offering): Offering {
    return async (bench, duty, signal) => {
      const offered = await offer(bench, duty, signal);
      this.#claims.set(placeOf(duty.round, bench.key.id), offered.states);
      return offered;
    };
  }

  /** What `trainer` says that segment `segment` (from 1) of its round ended in; `undefined` where it has told nobody. */
  claimOf(round: number, trainer: DeviceId, segment: number): StateIds | undefined {
    return this.#claims.get(placeOf(round, trainer))?.[segment - 1];
  }
}

const placeOf = (round: number, trainer: DeviceId) => `${round} ${trainer}`;
