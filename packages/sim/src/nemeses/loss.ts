/** Loss: a message in a hundred or so disappears, with everything behind it. */
import { between, type Nemesis } from './nemesis.ts';

export const loss: Nemesis = {
  about: 'messages are lost; exchanges stall or break',
  plan: (random) => ({ lastsMs: between(random, 5_000, 60_000), victims: [], force: between(random, 2, 30) }),
  strike({ run, weather }, { force }) {
    run.hub.change({ loss: force / 1000 });
    return () => run.hub.change({ loss: weather.loss });
  },
};
