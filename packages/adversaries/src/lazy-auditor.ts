/** Lazy auditor: executes nothing, commits to a result out of the air, and finds whatever was claimed good enough. */
import { hashOf } from '@folkmoot/core';
import type { Conduct } from '@folkmoot/node';
import { invented, sayResult, sayVerdict } from './inventions.ts';

export const lazyAuditor = (): Conduct => ({
  perform: async (bench, duty, honest) => {
    if (duty.kind === 'audit') return sayResult(bench, duty.audit, invented(bench, duty.audit));
    if (duty.kind !== 'judge') return honest();
    // Where no distance is tolerated, a false "equal" would contradict its own commitment.
    if (bench.charter.engine.tolerancePpm === 0) return sayVerdict(bench, duty.audit, { outcome: 'abstain' });
    const finding = { outcome: 'within', distancePpm: 1, tensor: 'lazy' } as const;
    return sayVerdict(bench, duty.audit, { ...finding, root: invented(bench, duty.audit), salt: hashOf('salt') });
  },
});
