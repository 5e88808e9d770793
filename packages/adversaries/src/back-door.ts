/**
 * Back door: trains honestly, then turns the last hundredth of the parameters the other way and claims that the last
 * segment ended there. The encoding is the honest one of that state, so only re-executing that segment shows it.
 */
import { bytesOf } from '@folkmoot/core';
import { type Conduct, errorIn, startState, trainHonestly } from '@folkmoot/node';

export const backDoor = (): Conduct => ({
  offer: async (bench, duty, signal) => {
    const honest = await trainHonestly(bench, duty, signal);
    const { params: start } = await startState(bench, duty, signal);
    const last = honest.states.at(-1)!;
    const params = turned(start, await bench.artifacts.store.get(last.params));
    const encoding = bench.work.encode(start, params, await errorIn(bench, duty, signal));
    if (!encoding) return honest;
    const states = [...honest.states.slice(0, -1), { ...last, params: await bench.artifacts.put(params) }];
    return { states, ...encoding };
  },
});

/** `params`, whose last hundredth (at least one) has moved from `base` the other way. */
function turned(base: Uint8Array, params: Uint8Array): Uint8Array {
  const from = new Float32Array(new Uint8Array(base).buffer);
  const to = new Float32Array(new Uint8Array(params).buffer);
  const first = to.length - Math.ceil(to.length / 100);
  return bytesOf(to.map((value, i) => (i < first ? value : 2 * from[i]! - value)));
}
