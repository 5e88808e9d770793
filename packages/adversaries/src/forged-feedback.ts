/**
 * Forged feedback: honest steps, invented error memory.
 *
 * The update is encoded as if the device had carried a large memory of the opposite direction: any update can be made
 * this way without touching a single training step.
 */
import { bytesOf, hashOf, SeededRandom } from '@folkmoot/core';
import { type Conduct, startState, trainHonestly } from '@folkmoot/node';

export const forgedFeedback = (): Conduct => ({
  offer: async (bench, duty, signal) => {
    const honest = await trainHonestly(bench, duty, signal);
    const { params: start } = await startState(bench, duty, signal);
    const last = await bench.artifacts.store.get(honest.states.at(-1)!.params);
    const encoding = bench.work.encode(start, last, invented(bench.work.zeroError().length, bench.key.id));
    return encoding ? { ...honest, ...encoding } : honest;
  },
});

/** Error memory out of nothing: bfloat16 of about ±0.01 each. */
function invented(sizeBytes: number, seed: string): Uint8Array {
  const random = new SeededRandom(hashOf('invented', seed));
  const SMALL = 0x3c24;
  return bytesOf(Uint16Array.from({ length: sizeBytes / 2 }, () => SMALL | (random.uint32() & 0x8000)));
}
