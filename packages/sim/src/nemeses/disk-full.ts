/** Disk full: no byte more fits. The member says so and stops; whoever owns it makes room and starts it again. */
import { anybody, between, type Nemesis } from './nemesis.ts';

export const diskFull: Nemesis = {
  about: 'a disk is full; its owner makes room and starts the member again',
  plan: (random, members) => ({
    lastsMs: between(random, 2_000, 40_000),
    victims: anybody(random, members),
    force: between(random, 0, 5_000),
  }),
  strike({ victims, crash, restart }, { force }) {
    for (const { machine } of victims) machine.disk.capacityBytes = machine.disk.usedBytes + force;
    return () => {
      for (const person of victims) {
        person.machine.disk.capacityBytes = Number.POSITIVE_INFINITY;
        if (person.failure === undefined) continue;
        crash(person);
        restart(person);
      }
    };
  },
};
