/** Partition, partial: some cannot reach each other, and everybody reaches the rest. */
import { between, type Nemesis, some } from './nemesis.ts';

export const partialPartition: Nemesis = {
  about: 'some cannot reach each other, and both reach the others',
  plan: (random, members) => ({
    lastsMs: between(random, 3_000, 60_000),
    victims: some(random, members),
    force: between(random, 1, 1_000_000),
  }),
  strike({ run, victims }, { force }) {
    const apart = new Set(victims.map(({ id }) => id));
    const name = `partial ${force}`;
    run.hub.cut(name, (from, to) => apart.has(from) && apart.has(to));
    return () => run.hub.mend(name);
  },
};
