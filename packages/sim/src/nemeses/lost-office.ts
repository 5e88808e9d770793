/**
 * Lost office: the creator's machine loses its power, and the lines at the end of the log that its disk had called safe.
 *
 * Others have seen them. If they can be asked when it starts again, nothing is wrong; else it signs something else in their
 * place, which is a lie that anybody can prove, though it meant none: the one fault that may befall whoever is honest.
 */
import { between, type Nemesis } from './nemesis.ts';

export const lostOffice: Nemesis = {
  about: 'the creator, who orders the log, has lost the end of it after a crash',
  // Of three, two would be left where it is found out, and one more blow would end the run.
  plan: (random, members) => ({
    lastsMs: between(random, 0, 25_000),
    victims: members > 3 ? [0] : [],
    force: between(random, 1, 20),
  }),
  strike({ victims, crash, restart, forget }, { force }) {
    for (const person of victims) {
      if (!person.process) continue;
      crash(person);
      person.machine.disk.loseTail('log', force);
      forget(person);
    }
    return () => {
      for (const person of victims) restart(person);
    };
  },
};
