/** False accuser: finds everybody’s work as far from the truth as work can be. */
import { hashOf } from '@folkmoot/core';
import type { Conduct } from '@folkmoot/node';
import { invented, sayResult, sayVerdict } from './inventions.ts';

const ACCUSATION = { outcome: 'mismatch', part: 'segment', distancePpm: 1_000_000, tensor: 'everything' } as const;

export const falseAccuser = (): Conduct => ({
  perform: async (bench, duty, honest) => {
    if (duty.kind === 'audit') return sayResult(bench, duty.audit, invented(bench, duty.audit));
    if (duty.kind !== 'judge') return honest();
    return sayVerdict(bench, duty.audit, {
      ...ACCUSATION,
      root: invented(bench, duty.audit),
      salt: hashOf('salt'),
    });
  },
});
