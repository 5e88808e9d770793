/** Zeros: trains nothing, and offers the honest encoding of having changed nothing. */
import type { Conduct } from '@folkmoot/node';
import { claimNothing } from './claims.ts';

export const zeros = (): Conduct => ({
  offer: async (bench, duty, signal) => {
    const base = await bench.bases.get(bench.log.state, duty.base, signal);
    return claimNothing(bench, duty, bench.work.encode(base, base, bench.work.zeroError())!.update, signal);
  },
});
