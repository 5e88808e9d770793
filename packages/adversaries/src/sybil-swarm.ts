/** Sybil swarm: many accounts of one person. Nobody works, all swear for each other, and they attest nobody else. */
import type { Conduct } from '@folkmoot/node';
import { pair } from './pair.ts';
import type { Plan } from './plan.ts';

export const sybilSwarm = (plan: Plan): Conduct => {
  const { perform, ...rest } = pair(plan);
  return {
    ...rest,
    perform: async (bench, duty, honest, signal) => {
      if (duty.kind !== 'attest') return perform!(bench, duty, honest, signal);
      return honest({ ...duty, updates: duty.updates.filter(({ trainer }) => plan.devices.has(trainer)) });
    },
  };
};
