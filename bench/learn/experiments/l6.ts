/** L6: the mean of directions with the mean of norms (RDA), which wants no other outer rate with more members. */
import { adamw, dense, lasting } from '../build-arms.ts';
import { type Experiment, lossBand } from '../experiment.ts';

const SIZES = [2, 4, 8, 16];
const mean = SIZES.map((members) =>
  lasting(
    12,
    dense({ id: `dense, AdamW .003, M = ${members}, 12 rounds of 10`, optimizer: adamw('0.003'), members }),
    10,
  ),
);
const directions = mean.map((arm) => ({ ...arm, id: `${arm.id}, mean direction`, merge: 'directions' as const }));

export const l6: Experiment = {
  id: 'L6',
  title: 'Mean direction (RDA), 2 to 16 members, outer rate 1',
  rows: mean.flatMap((arm, i) => [
    { label: `${arm.members} members, mean`, arm },
    { label: `${arm.members} members, mean direction`, arm: directions[i], against: arm },
  ]),
  bands: [
    lossBand('no retune: no more than 3 % behind the mean at any size', [...directions, ...mean], (...losses) =>
      SIZES.every((_, i) => losses[i] <= 1.03 * losses[i + SIZES.length]),
    ),
    {
      text: 'norm of the mean over that of the mean direction within 25 % of 1/√M',
      holds(result) {
        const shares = directions.map((arm) => result(arm)?.meanNormShare);
        if (shares.includes(undefined)) return undefined;
        return SIZES.every((members, i) => Math.abs(shares[i]! * Math.sqrt(members) - 1) <= 0.25);
      },
    },
  ],
};
