/** Duplication: requests arrive twice, as when their sender tries again without having heard the answer. */
import { between, type Nemesis } from './nemesis.ts';

export const duplication: Nemesis = {
  about: 'requests arrive twice',
  plan: (random) => ({ lastsMs: between(random, 10_000, 90_000), victims: [], force: between(random, 10, 100) }),
  strike({ run, weather }, { force }) {
    run.hub.change({ duplicate: force / 100 });
    return () => run.hub.change({ duplicate: weather.duplicate });
  },
};
