/** Partition, clean: two sides, and nothing gets from one to the other. */
import { between, type Nemesis, some } from './nemesis.ts';

export const partition: Nemesis = {
  about: 'the network falls into two parts',
  plan: (random, members) => ({
    lastsMs: between(random, 3_000, 60_000),
    victims: some(random, members),
    force: between(random, 1, 1_000_000),
  }),
  strike({ run, victims }, { force }) {
    const side = new Set(victims.map(({ id }) => id));
    const name = `partition ${force}`;
    run.hub.cut(name, (from, to) => side.has(from) !== side.has(to));
    return () => run.hub.mend(name);
  },
};
