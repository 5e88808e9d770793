/** Crash: a process dies at one of its next awaits, whichever that is, and starts again later. */
import { anybody, between, type Nemesis } from './nemesis.ts';

export const crash: Nemesis = {
  about: 'a process dies where it waits, and is started again',
  plan: (random, members) => ({
    lastsMs: between(random, 0, 40_000),
    victims: anybody(random, members),
    force: between(random, 1, 60),
  }),
  strike({ victims, crash, restart }, { force }) {
    for (const person of victims) person.machine.life?.lightFuse(force, () => crash(person));
    return () => {
      for (const person of victims) {
        person.machine.life?.putOutFuse();
        restart(person);
      }
    };
  },
};
