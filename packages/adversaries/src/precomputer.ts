/** Precomputer: guesses its rows before they are drawn, works those at leisure, and passes them off as the drawn ones. */
import { hashOf } from '@folkmoot/core';
import { assignmentOf, type Conduct, errorIn, startState } from '@folkmoot/node';
import type { StateIds } from '@folkmoot/records';

export const precomputer = (): Conduct => ({
  offer: async (bench, duty, signal) => {
    const { work, artifacts } = bench;
    const start = await startState(bench, duty, signal);
    const guessed = { ...assignmentOf(duty), seed: hashOf('guess', duty.base) };
    const states: StateIds[] = [];
    let params = start.params;
    for await (const end of work.train(guessed, start, signal)) {
      params = end.params;
      states.push({ params: await artifacts.put(end.params), moments: await artifacts.put(end.moments) });
    }
    return { states, ...work.encode(start.params, params, await errorIn(bench, duty, signal))! };
  },
});
