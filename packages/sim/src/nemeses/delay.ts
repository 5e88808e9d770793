/** Delay with a heavy tail: most messages are a little late, a few are very late. */
import { between, type Nemesis } from './nemesis.ts';

export const delay: Nemesis = {
  about: 'messages are late, a few of them very late (Pareto)',
  plan: (random) => ({ lastsMs: between(random, 10_000, 90_000), victims: [], force: between(random, 50, 600) }),
  strike({ run, weather }, { force }) {
    const { delayMs, tail } = weather;
    run.hub.change({ delayMs: { min: force >> 2, max: force }, tail: 0.3 });
    return () => run.hub.change({ delayMs, tail });
  },
};
