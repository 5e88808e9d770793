/** Lost store: all artifacts of a machine are gone, under the running process; log and small values stay. */
import { anybody, type Nemesis } from './nemesis.ts';

export const lostStore: Nemesis = {
  about: 'all artifacts of a machine are deleted',
  plan: (random, members) => ({ lastsMs: 0, victims: anybody(random, members), force: 0 }),
  strike({ victims }) {
    for (const { machine } of victims) machine.disk.wipeStore();
    return undefined;
  },
};
