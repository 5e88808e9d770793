/** Leaver: works nothing, and is gone as soon as it is asked to open. Comes back when the audit is forgotten. */
import type { Conduct } from '@folkmoot/node';
import { offerNoise } from './free-rider.ts';

/** How long it stays away. */
const AWAY_MS = 60_000;

export const leaver = (): Conduct => {
  let left = false;
  return {
    offer: offerNoise,
    perform: async (bench, duty, honest, signal) => {
      if (duty.kind === 'open' || duty.kind === 'close') {
        left = true;
        return bench.voice.say('leave', { abstains: true });
      }
      if (duty.kind === 'ready' && left) {
        await bench.clock.sleep(AWAY_MS, signal);
        left = false;
      }
      return honest();
    },
  };
};
