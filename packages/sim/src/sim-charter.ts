/** A charter for simulated runs: short rounds in virtual seconds. */
import type { Charter } from '@folkmoot/records';
import { CHARTER } from '@folkmoot/records/test-support';

export function simCharter(change: Partial<Charter> = {}): Charter {
  return {
    ...CHARTER,
    name: 'simulated',
    stepsPerRound: 6,
    stepsPerSegment: 2,
    timing: {
      openMs: 3000,
      trainMs: 60_000,
      revealMs: 10_000,
      witnessMs: 10_000,
      finalizeMs: 10_000,
      graceMs: 3000,
      openTraceMs: 8000,
      auditMs: 20_000,
    },
    succession: { silenceMs: 20_000, everyRounds: 0, complaintRounds: 2 },
    credit: { perSegment: 10, vestingRounds: 20 },
    ...change,
  };
}
