/** Flash join: several newcomers at once. */
import { between, type Nemesis } from './nemesis.ts';

export const flashJoin: Nemesis = {
  about: 'several newcomers come at once',
  plan: (random) => ({ lastsMs: 0, victims: [], force: between(random, 1, 5) }),
  strike({ join }, { force }) {
    for (let i = 0; i < force; i++) join();
    return undefined;
  },
};
