/** Clock skew: a machine's clock is wrong, and runs too fast or too slow. */
import { anybody, between, type Nemesis } from './nemesis.ts';

const MOST_MS = 40_000;

export const clockSkew: Nemesis = {
  about: 'a clock is set forward or back, and runs up to five per cent too fast or too slow',
  plan: (random, members) => ({
    lastsMs: between(random, 10_000, 120_000),
    victims: anybody(random, members),
    force: between(random, -MOST_MS, MOST_MS),
  }),
  strike({ victims }, { force }) {
    for (const { machine } of victims) {
      machine.skew.offsetMs += force;
      machine.skew.fastPpm = force;
    }
    return () => {
      for (const { machine } of victims) {
        machine.skew.offsetMs -= force;
        machine.skew.fastPpm = 0;
      }
    };
  },
};
