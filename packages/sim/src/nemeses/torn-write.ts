/** Torn write: the process dies and leaves half a line at the journal's end. */
import { anybody, between, type Nemesis } from './nemesis.ts';

export const tornWrite: Nemesis = {
  about: 'a process dies in the middle of a write: the journal ends in half a line',
  plan: (random, members) => ({ lastsMs: between(random, 0, 20_000), victims: anybody(random, members), force: 0 }),
  strike({ victims, crash, restart }) {
    for (const person of victims) {
      if (!person.process) continue;
      crash(person);
      person.machine.disk.tearJournal('log');
    }
    return () => {
      for (const person of victims) restart(person);
    };
  },
};
