/** Mass leave: many say goodbye at once, and come back later. */
import { between, type Nemesis, some } from './nemesis.ts';

export const massLeave: Nemesis = {
  about: 'many leave at once, properly, and come back',
  plan: (random, members) => ({
    lastsMs: between(random, 4_000, 40_000),
    victims: some(random, members).filter((index) => index > 0),
    force: 0,
  }),
  strike({ victims, crash, restart }) {
    for (const person of victims) {
      const { member } = person;
      // The process ends when its member has said goodbye, unless it was started anew meanwhile.
      void member?.leave().then(() => {
        if (person.member === member) crash(person);
      });
    }
    return () => {
      for (const person of victims) {
        if (person.member) crash(person);
        restart(person);
      }
    };
  },
};
