/** Slow links: what some can send is a trickle. */
import { between, type Nemesis, some } from './nemesis.ts';

export const slowLinks: Nemesis = {
  about: 'some have lines of a few hundred bytes to a few kilobytes a second',
  plan: (random, members) => ({
    lastsMs: between(random, 10_000, 90_000),
    victims: some(random, members),
    force: between(random, 3, 40),
  }),
  strike({ run, victims }, { force }) {
    for (const { id } of victims) run.hub.slowDown(id, force / 10);
    return () => {
      for (const { id } of victims) run.hub.slowDown(id, undefined);
    };
  },
};
