/** L1: what it costs to train in rounds, by the number of members, all with the same tokens. */
import type { Arm } from '../arm.ts';
import { adamw, alone, dataParallel, dense, lasting } from '../build-arms.ts';
import { type Experiment, lossBand } from '../experiment.ts';

/** Each with the rate that suits it at this length; see `rates.ts`. */
const FAST_PARALLEL = dataParallel('data-parallel, AdamW .006', adamw('0.006'));
const GROUPS = [1, 2, 4, 8].map((members) => {
  const rate = members === 1 ? '.006' : '.003';
  return dense({ id: `dense, AdamW ${rate}, M = ${members}`, optimizer: adamw(`0${rate}`), members });
});
const SINGLES = [2, 4, 8].map((members) => alone(`one of ${members} alone, AdamW .003`, adamw('0.003'), members));

const short = (arm: Arm) => lasting(34, { ...arm, id: `${arm.id}, 34 rounds` });
export const PARALLEL = short(FAST_PARALLEL);
const groups = GROUPS.map(short);
const singles = SINGLES.map(short);

/** At 100 rounds .003 is the better rate: .006 ended at 1.595 and 1.718 with two seeds, .003 at 1.610 and 1.575. */
export const LONG_PARALLEL = dataParallel('data-parallel, AdamW .003', adamw('0.003'));
export const LONG_DENSE = dense({ id: 'dense, AdamW .006', optimizer: adamw('0.006') });
const LONG_SINGLE = alone('one of 4 alone, AdamW .003', adamw('0.003'), 4);

export const l1: Experiment = {
  id: 'L1',
  title: 'Members against data-parallel, equal tokens',
  rows: [
    { label: 'data-parallel, 34 rounds', arm: PARALLEL },
    ...groups.map((arm) => ({ label: `M = ${arm.members}, dense, 34 rounds`, arm, against: PARALLEL })),
    ...singles.map((arm, i) => ({ label: `one of ${2 ** (i + 1)} alone, 34 rounds`, arm, against: PARALLEL })),
    { label: 'data-parallel, rate .003, 100 rounds', arm: LONG_PARALLEL },
    { label: 'data-parallel, rate .006, 100 rounds', arm: FAST_PARALLEL },
    { label: 'M = 4, dense, 100 rounds', arm: LONG_DENSE, against: LONG_PARALLEL },
    { label: 'one of 4 alone, 100 rounds', arm: LONG_SINGLE, against: LONG_PARALLEL },
  ],
  bands: [
    lossBand('loss rises with M from 1 to 8', groups, (...losses) =>
      losses.every((loss, i) => i === 0 || loss > losses[i - 1]),
    ),
    ...groups
      .slice(1)
      .map((arm, i) =>
        lossBand(
          `34 rounds: ${arm.members} together beat one alone`,
          [arm, singles[i]],
          (group, single) => group < single,
        ),
      ),
    lossBand('100 rounds: 4 together beat one alone', [LONG_DENSE, LONG_SINGLE], (group, single) => group < single),
    lossBand(
      'the gap of M = 4 closes with rounds',
      [LONG_DENSE, LONG_PARALLEL, groups[2], PARALLEL],
      (long, longParallel, brief, briefParallel) => long / longParallel < brief / briefParallel,
    ),
  ],
};
