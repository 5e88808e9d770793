/** Late revealer: waits until the others have revealed, and then decides whether its own update shall count. */
import type { Conduct } from '@folkmoot/node';

/** It reveals in every other round, when nearly no time is left. */
const LAST_MOMENT_MS = 500;

export const lateRevealer = (): Conduct => ({
  perform: async (bench, duty, honest, signal) => {
    if (duty.kind !== 'reveal') return honest();
    if (duty.round % 2 === 0) return undefined;
    const { clock, log } = bench;
    const leftMs = (log.state.round.deadlineMs ?? clock.now()) - clock.now();
    await clock.sleep(Math.max(0, leftMs - LAST_MOMENT_MS), signal);
    return honest();
  },
});
