/** Sleeper: honest until its audits are rare, then works nothing; honest again when they are frequent. */
import { type Conduct, trainHonestly } from '@folkmoot/node';
import { auditPpm } from '@folkmoot/protocol';
import { offerNoise } from './free-rider.ts';

/** It sleeps when fewer of its rounds than this are audited. */
const RARE_PPM = 250_000;

export const sleeper = (): Conduct => ({
  offer: (bench, duty, signal) => {
    const { charter, log, key } = bench;
    const isRare =
      auditPpm(charter.audit.floorPpm, log.state.members[key.id]!) <= Math.max(RARE_PPM, charter.audit.floorPpm);
    return (isRare ? offerNoise : trainHonestly)(bench, duty, signal);
  },
});
