/** What the members of a world train with: pretended by default, real for small worlds. */
import { type Clock, sha256 } from '@folkmoot/core';
import type { Work } from '@folkmoot/node';
import type { Charter } from '@folkmoot/records';
import { PRETEND_PARAMETERS, PretendWork, pretendBase } from './pretend-work.ts';

/** Virtual milliseconds that a pretended segment takes. */
const SEGMENT_MS = 2000;

export interface Training {
  /** The first base, which the creator has. */
  readonly base: Uint8Array;
  /** A simulated charter with what belongs to this training in it. */
  charterOf(charter: Charter): Charter;
  /** The work of one process, in its own time. */
  workOf(clock: Clock, charter: Charter): Work;
}

export const PRETENDED: Training = {
  base: pretendBase(),
  charterOf(charter) {
    const zeros = new PretendWork({ now: () => 0, sleep: async () => {} }, charter, SEGMENT_MS);
    return {
      ...charter,
      parameters: PRETEND_PARAMETERS,
      initialBase: sha256(pretendBase()),
      zeroMoments: sha256(zeros.zeroMoments()),
      zeroError: sha256(zeros.zeroError()),
    };
  },
  workOf: (clock, charter) => new PretendWork(clock, charter, SEGMENT_MS),
};
