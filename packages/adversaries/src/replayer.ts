/**
 * Replayer: works one round, offers it again in all later ones, and says again what others have said: records of this
 * run at a later time, and its own moved to another run, round and base.
 */
import { hashOf, type Network } from '@folkmoot/core';
import { ask, type Conduct, type Offer, trainHonestly } from '@folkmoot/node';
import { recordBytes, signRecord } from '@folkmoot/records';

export const replayer = (): Conduct => {
  let first: Offer | undefined;
  let wire: Network | undefined;
  return {
    offer: async (bench, duty, signal) => {
      first ??= await trainHonestly(bench, duty, signal);
      return first;
    },
    network: (network) => {
      wire = network;
      return network;
    },
    watch: async ({ charter, key, log }, { record }) => {
      if (!wire || charter.sequencer === key.id) return;
      const again = [record];
      if (record.body.device === key.id) {
        const { state } = log;
        const seq = record.body.seq + 1_000_000;
        for (const elsewhere of [
          { run: hashOf('other run') },
          { round: state.round.number + 1 },
          { base: hashOf('b') },
        ])
          again.push(signRecord({ ...record.body, seq, ...elsewhere }, key));
      }
      for (const copy of again) await ask(wire, charter.sequencer, 'submit', recordBytes(copy)).catch(() => undefined);
    },
  };
};
