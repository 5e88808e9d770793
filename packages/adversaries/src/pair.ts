/** Trainer and auditor in league: neither works; each swears to what the other has claimed, whenever it is drawn. */
import { hashOf } from '@folkmoot/core';
import type { Conduct } from '@folkmoot/node';
import { stateRoot } from '@folkmoot/records';
import { offerNoise } from './free-rider.ts';
import { sayResult, sayVerdict } from './inventions.ts';
import type { Plan } from './plan.ts';

export const pair = (plan: Plan): Conduct => ({
  network: plan.enrol,
  offer: plan.told(offerNoise),
  perform: async (bench, duty, honest) => {
    if (duty.kind !== 'audit' && duty.kind !== 'judge') return honest();
    const { audit } = duty;
    const claim = plan.claimOf(audit.round, audit.trainer, audit.segment);
    if (!claim) return honest();
    const root = stateRoot(claim);
    if (duty.kind === 'audit') return sayResult(bench, audit, root);
    return sayVerdict(bench, audit, { outcome: 'match', root, salt: hashOf('salt') });
  },
});
