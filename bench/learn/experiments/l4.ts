/** L4: what an update weighs, and that all members arrive at one base. */
import { bitsPerParameter } from '../accounting.ts';
import { adamw, group, lasting, sparse } from '../build-arms.ts';
import type { Experiment } from '../experiment.ts';

const SPARSE = lasting(
  34,
  group({ id: 'sparse, AdamW .006, 34 rounds of 10, everybody merges', optimizer: adamw('0.006') }),
  10,
);
const EVERYBODY = { ...SPARSE, everybodyMerges: true };

export const l4: Experiment = {
  id: 'L4',
  title: 'Bytes, and one base for all',
  rows: [{ label: 'sparse, every member merges for itself', arm: EVERYBODY }],
  bands: [
    { text: 'at most 0.21875 bit a parameter', holds: () => bitsPerParameter(sparse(64)) <= 0.21875 },
    {
      text: 'all members have the same base after each of 34 rounds',
      holds: (result) => {
        const disagreements = result(EVERYBODY)?.disagreements;
        return disagreements === undefined ? undefined : disagreements === 0;
      },
    },
  ],
};
