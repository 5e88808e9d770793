/** Reordering: what was sent later arrives earlier. Within one exchange order is kept, as on any stream. */
import { between, type Nemesis } from './nemesis.ts';

export const reordering: Nemesis = {
  about: 'exchanges overtake each other',
  plan: (random) => ({ lastsMs: between(random, 10_000, 90_000), victims: [], force: between(random, 20, 100) }),
  strike({ run, weather }, { force }) {
    run.hub.change({ reorder: force / 100 });
    return () => run.hub.change({ reorder: weather.reorder });
  },
};
