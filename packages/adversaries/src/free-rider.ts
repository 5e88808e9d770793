/** Free rider: trains nothing, claims that nothing changed, and offers an update of noise so that it is not empty. */
import { bytesOf, hashOf, SeededRandom } from '@folkmoot/core';
import type { Conduct, Offering } from '@folkmoot/node';
import { claimNothing } from './claims.ts';

export const offerNoise: Offering = async (bench, duty, signal) => {
  const base = await bench.bases.get(bench.log.state, duty.base, signal);
  const update = bench.work.encode(base, withNoise(base, bench.key.id + duty.round), bench.work.zeroError())!.update;
  return claimNothing(bench, duty, update, signal);
};

export const freeRider = (): Conduct => ({ offer: offerNoise });

/** Parameters near `base`, as if they had been trained a little. */
function withNoise(base: Uint8Array, seed: string): Uint8Array {
  const random = new SeededRandom(hashOf('noise', seed));
  const values = new Float32Array(new Uint8Array(base).buffer);
  return bytesOf(values.map((value) => value + 0.001 * (random.uint32() / 2 ** 31 - 1)));
}
