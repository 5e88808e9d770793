/** Pause: a process is stopped (SIGSTOP, a sleeping laptop) and goes on later, where it was. */
import { anybody, between, type Nemesis } from './nemesis.ts';

export const pause: Nemesis = {
  about: 'a process stands still and goes on later',
  plan: (random, members) => ({
    lastsMs: between(random, 500, 60_000),
    victims: anybody(random, members),
    force: 0,
  }),
  strike({ victims }) {
    const lives = victims.flatMap(({ machine }) => machine.life ?? []);
    for (const life of lives) life.pause();
    return () => {
      for (const life of lives) life.resume();
    };
  },
};
