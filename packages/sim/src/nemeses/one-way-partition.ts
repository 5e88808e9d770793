/** Partition, one way: the victim hears everybody, and nobody hears the victim; or the other way round. */
import { anybody, between, type Nemesis } from './nemesis.ts';

export const oneWayPartition: Nemesis = {
  about: 'somebody is not heard, or hears nobody',
  plan: (random, members) => ({
    lastsMs: between(random, 3_000, 45_000),
    victims: anybody(random, members),
    force: between(random, 1, 1_000_000),
  }),
  strike({ run, victims }, { force }) {
    const mute = new Set(victims.map(({ id }) => id));
    const name = `one way ${force}`;
    run.hub.cut(name, (from, to) => mute.has(force % 2 === 0 ? from : to));
    return () => run.hub.mend(name);
  },
};
