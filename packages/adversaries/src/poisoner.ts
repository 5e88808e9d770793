/** Poisoner: trains honestly, then offers the opposite of what it learnt, a hundred times as strong. */
import { type Conduct, errorIn, trainHonestly } from '@folkmoot/node';
import { exaggerate } from './conduct.ts';

const FACTOR = -100;

export const poisoner: Conduct = async (bench, duty, signal) => {
  const honest = await trainHonestly(bench, duty, signal);
  const base = await bench.bases.get(bench.log.state, duty.base, signal);
  const last = await bench.artifacts.store.get(honest.states.at(-1)!.params);
  const encoding = bench.work.encode(base, exaggerate(base, last, FACTOR), await errorIn(bench, duty, signal));
  return encoding ? { ...honest, ...encoding } : honest;
};
