import type { Conduct } from '@folkmoot/node';
import { copycat } from './copycat.ts';
import { forgedFeedback } from './forged-feedback.ts';
import { freeRider } from './free-rider.ts';
import { poisoner } from './poisoner.ts';

/** Trainers that misbehave, by the name under which `--cheater` and the simulator know them. */
export const CHEATERS = {
  'free-rider': freeRider,
  copycat,
  poisoner,
  'forged-feedback': forgedFeedback,
} as const satisfies Record<string, Conduct>;

export type CheaterName = keyof typeof CHEATERS;

export { copycat, forgedFeedback, freeRider, poisoner };
