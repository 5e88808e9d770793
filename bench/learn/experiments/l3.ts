/** L3: what the sparse codec costs, and what its error memory is worth. */
import { timesFewerPerSync } from '../accounting.ts';
import { adamw, dense, group, lasting, sparse } from '../build-arms.ts';
import { type Experiment, lossBand } from '../experiment.ts';
import { LONG_DENSE } from './l1.ts';

const RATE = adamw('0.006');
export const LONG_SPARSE = group({ id: 'sparse, AdamW .006', optimizer: RATE });
export const SPARSE = lasting(34, { ...LONG_SPARSE, id: 'sparse, AdamW .006, 34 rounds' });
const DENSE = lasting(34, dense({ id: 'dense, AdamW .003, 34 rounds', optimizer: adamw('0.003') }));
const FORGETFUL = group({
  id: 'sparse without error memory, AdamW .006',
  optimizer: RATE,
  codec: [[0, sparse(64, '0')]],
});

export const l3: Experiment = {
  id: 'L3',
  title: 'Sparse, dense, and sparse without error feedback',
  rows: [
    { label: 'dense, 100 rounds', arm: LONG_DENSE },
    { label: 'sparse, 100 rounds', arm: LONG_SPARSE, against: LONG_DENSE },
    { label: 'dense, 34 rounds', arm: DENSE },
    { label: 'sparse, 34 rounds', arm: SPARSE, against: DENSE },
    { label: 'sparse without error feedback, 100 rounds', arm: FORGETFUL, against: LONG_SPARSE },
  ],
  bands: [
    lossBand('100 rounds: sparse within 3 % of dense', [LONG_SPARSE, LONG_DENSE], (few, all) => few <= 1.03 * all),
    {
      text: 'at 140 times fewer bytes an exchange than float32, or more',
      holds: () => timesFewerPerSync(sparse(64)) >= 140,
    },
    lossBand(
      'closing with more rounds',
      [LONG_SPARSE, LONG_DENSE, SPARSE, DENSE],
      (longSparse, longDense, few, all) => longSparse / longDense < few / all,
    ),
    lossBand('without feedback more than 5 % worse', [FORGETFUL, LONG_SPARSE], (without, few) => without > 1.05 * few),
  ],
};
