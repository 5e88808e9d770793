/**
 * Lost tail: a machine loses its power, and its disk had lied: the last lines that it called safe are gone.
 *
 * Not of the creator: a sequencer that forgets what it has signed signs something else in its place.
 */
import { anybodyElse, between, type Nemesis } from './nemesis.ts';

export const lostTail: Nemesis = {
  about: 'the last lines of a log that were called safe are gone after a crash',
  plan: (random, members) => ({
    lastsMs: between(random, 0, 20_000),
    victims: anybodyElse(random, members),
    force: between(random, 1, 40),
  }),
  strike({ victims, crash, restart }, { force }) {
    for (const person of victims) {
      const { member } = person;
      if (!person.process) continue;
      const die = () => {
        crash(person);
        person.machine.disk.loseTail('log', force);
      };
      // Every other one stops in order before, so that its snapshot is ahead of what is left of its log.
      if (force % 2 === 1 || !member) die();
      else void member.stop().then(() => person.member === member && die());
    }
    return () => {
      for (const person of victims) restart(person);
    };
  },
};
