/** Corner cutter: works all segments but one, which it claims to have ended where it began. Another one each round. */
import { below, hashOf, SeededRandom } from '@folkmoot/core';
import { assignmentOf, type Conduct, errorIn, type Offering, type StateBytes, startState } from '@folkmoot/node';
import { type StateIds, segmentsAfter } from '@folkmoot/records';

const offer: Offering = async (bench, duty, signal) => {
  const { work, artifacts, charter, key } = bench;
  const start = await startState(bench, duty, signal);
  const segments = segmentsAfter(charter, duty.seat);
  const left = 1 + below(new SeededRandom(hashOf('corner', key.id, duty.round)), segments);
  const states: StateIds[] = [];
  let state: StateBytes = start;
  for (let segment = 1; segment <= segments; segment++) {
    if (segment !== left) state = (await work.replay(assignmentOf(duty), segment, state, signal)) ?? state;
    states.push({ params: await artifacts.put(state.params), moments: await artifacts.put(state.moments) });
  }
  return { states, ...work.encode(start.params, state.params, await errorIn(bench, duty, signal))! };
};

export const cornerCutter = (): Conduct => ({ offer });
