/** Poisoners: train honestly, and offer another multiple of what they learnt. */
import { type Conduct, errorIn, startState, trainHonestly } from '@folkmoot/node';
import { exaggerate } from './claims.ts';

/** The opposite, a hundred times as strong. */
export const poisoner = (): Conduct => offering(-100);

/** The opposite at an honest size: no norm betrays it. */
export const signFlipper = (): Conduct => offering(-1);

function offering(factor: number): Conduct {
  return {
    offer: async (bench, duty, signal) => {
      const honest = await trainHonestly(bench, duty, signal);
      const { params: start } = await startState(bench, duty, signal);
      const last = await bench.artifacts.store.get(honest.states.at(-1)!.params);
      const encoding = bench.work.encode(start, exaggerate(start, last, factor), await errorIn(bench, duty, signal));
      return encoding ? { ...honest, ...encoding } : honest;
    },
  };
}
