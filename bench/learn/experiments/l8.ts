/** L8: what closes the gap to data-parallel at equal tokens. */
import { timesFewer } from '../accounting.ts';
import type { Arm } from '../arm.ts';
import { adamw, DENSE, dataParallel, dense, group, lasting, muon, sparse } from '../build-arms.ts';
import { type Experiment, lossBand } from '../experiment.ts';
import { LONG_DENSE, LONG_PARALLEL, PARALLEL } from './l1.ts';
import { LONG_SPARSE } from './l3.ts';

const short = (arm: Arm) => lasting(34, { ...arm, id: `${arm.id}, 34 rounds` });
const PARALLEL_ADAMW = PARALLEL;
const LONG_PARALLEL_MUON = dataParallel('data-parallel, Muon .006', muon('0.006'));
const PARALLEL_MUON = short(LONG_PARALLEL_MUON);
const DENSE_MUON = dense({ id: 'dense, Muon .006', optimizer: muon('0.006') });
const NESTEROV = { momentum: '0.6', outerRate: [[0, '0.7']] } as const;
const SMALL_FIRST = [
  [0, 6],
  [8, 16],
  [17, 36],
  [26, 60],
] as const;
const LONG_NESTEROV = { ...DENSE_MUON, id: 'dense, Muon .006, Nesterov .7 .6', ...NESTEROV };

const SPARSE_MUON = group({ id: 'sparse, Muon .006', optimizer: muon('0.006') });
/** Few enough for 10,000 times fewer bytes at H = 30. */
const SPARSE_FEW = group({ id: 'sparse 38, AdamW .006', optimizer: adamw('0.006'), codec: [[0, sparse(38)]] });

/** The same with trainers that start ahead of the base by half of what they have not said. */
const SPARSE_AHEAD: Arm = { ...SPARSE_FEW, id: 'sparse 38, AdamW .006, ahead .5', ahead: '0.5' };
const MUON_AHEAD_LATER: Arm = {
  ...SPARSE_MUON,
  id: 'sparse 64, Muon .006, ahead .5 from 15',
  ahead: '0.5',
  aheadFrom: 15,
};
const MUON_AHEAD_FEW: Arm = {
  ...SPARSE_AHEAD,
  id: 'sparse 38, Muon .006, ahead .5',
  optimizer: muon('0.006'),
};
const MUON_AHEAD: Arm = { ...SPARSE_MUON, id: 'sparse 64, Muon .006, ahead .5', ahead: '0.5' };

const SHORT: readonly [string, Arm][] = [
  ['dense, AdamW .003', dense({ id: 'dense, AdamW .003', optimizer: adamw('0.003') })],
  [
    'dense, AdamW .003, heavy ball .5',
    { ...dense({ id: 'dense, AdamW .003, heavy ball', optimizer: adamw('0.003') }), heavyBall: 0.5 },
  ],
  ['dense, Muon .006', DENSE_MUON],
  ['dense, Muon .012', dense({ id: 'dense, Muon .012', optimizer: muon('0.012') })],
  [
    'dense, Muon .006, momentum .98',
    dense({
      id: 'dense, Muon .006, momentum .98',
      optimizer: { ...muon('0.006'), kind: 'muon', momentum: '0.98', updateRms: '0.2' },
    }),
  ],
  ['dense, Muon .006, α 1.5', { ...DENSE_MUON, id: 'dense, Muon .006, α 1.5', outerRate: [[0, '1.5']] }],
  ['dense, Muon .006, Nesterov .7 .6', LONG_NESTEROV],
  ['dense, Muon .006, Nesterov .7 .9', { ...LONG_NESTEROV, id: 'dense, Muon .006, Nesterov .7 .9', momentum: '0.9' }],
  ['dense, Muon .006, heavy ball .5', { ...DENSE_MUON, id: 'dense, Muon .006, heavy ball .5', heavyBall: 0.5 }],
  ['sparse, AdamW .006', LONG_SPARSE],
  ['sparse, AdamW .006, Nesterov .7 .6', { ...LONG_SPARSE, id: 'sparse, AdamW .006, Nesterov .7 .6', ...NESTEROV }],
  ['sparse, Muon .006', SPARSE_MUON],
  [
    'sparse, Muon .006, feedback 1',
    group({ id: 'sparse, Muon .006, feedback 1', optimizer: muon('0.006'), codec: [[0, sparse(64, '1')]] }),
  ],
  [
    'sparse 128 of 4096, Muon .006',
    group({ id: 'sparse 128, Muon .006', optimizer: muon('0.006'), codec: [[0, sparse(128)]] }),
  ],
  [
    '8-bit dense for 4 rounds, then sparse, AdamW .006',
    group({
      id: 'dense 4, then sparse, AdamW .006',
      optimizer: adamw('0.006'),
      codec: [
        [0, DENSE],
        [4, sparse()],
      ],
    }),
  ],
];

export const l8: Experiment = {
  id: 'L8',
  title: 'What closes the gap to data-parallel',
  rows: [
    { label: 'data-parallel, AdamW .006, 34 rounds', arm: PARALLEL_ADAMW },
    { label: 'data-parallel, Muon .006, 34 rounds', arm: PARALLEL_MUON, against: PARALLEL_ADAMW },
    ...SHORT.map(([label, arm]) => ({ label: `${label}, 34 rounds`, arm: short(arm), against: PARALLEL_MUON })),
    {
      label: 'dense, Muon .006, H 6, 16, 36, 60, 34 rounds',
      arm: { ...short(DENSE_MUON), id: 'dense, Muon .006, H rising, 34 rounds', steps: SMALL_FIRST },
      against: PARALLEL_MUON,
    },
    { label: 'data-parallel, AdamW .003, 100 rounds', arm: LONG_PARALLEL },
    { label: 'data-parallel, Muon .006, 100 rounds', arm: LONG_PARALLEL_MUON, against: LONG_PARALLEL },
    { label: 'dense, AdamW .006, 100 rounds', arm: LONG_DENSE, against: LONG_PARALLEL },
    { label: 'sparse, AdamW .006, 100 rounds', arm: LONG_SPARSE, against: LONG_PARALLEL },
    { label: 'sparse 38 of 4096, AdamW .006, 100 rounds', arm: SPARSE_FEW, against: LONG_SPARSE },
    { label: 'sparse 38 of 4096, AdamW .006, ahead by half, 100 rounds', arm: SPARSE_AHEAD, against: LONG_SPARSE },
    { label: 'sparse, Muon .006, 100 rounds', arm: SPARSE_MUON, against: LONG_PARALLEL_MUON },
    { label: 'sparse, Muon .006, ahead by half, 100 rounds', arm: MUON_AHEAD, against: LONG_PARALLEL_MUON },
    {
      label: 'sparse 128 of 4096, Muon .006, ahead by half, 100 rounds',
      arm: { ...MUON_AHEAD, id: 'sparse 128, Muon .006, ahead .5', codec: [[0, sparse(128)]] },
      against: LONG_PARALLEL_MUON,
    },
    {
      label: 'sparse, Muon .006, ahead by half from round 15 on, 100 rounds',
      arm: MUON_AHEAD_LATER,
      against: LONG_PARALLEL_MUON,
    },
    { label: 'sparse 38 of 4096, Muon .006, ahead by half, 100 rounds', arm: MUON_AHEAD_FEW, against: LONG_SPARSE },
    { label: 'dense, Muon .006, 100 rounds', arm: DENSE_MUON, against: LONG_PARALLEL_MUON },
    { label: 'dense, Muon .006, Nesterov .7 .6, 100 rounds', arm: LONG_NESTEROV, against: LONG_PARALLEL_MUON },
  ],
  bands: [
    {
      text: '38 of 4096 are 10,000 times fewer bytes than float32 in every step',
      holds: () => timesFewer(SPARSE_FEW) >= 10_000,
    },
    lossBand('38 of 4096: at most 1 % more loss than 64', [SPARSE_FEW, LONG_SPARSE], (few, more) => few <= 1.01 * more),
    lossBand(
      '38 of 4096, ahead by half: at most 1 % more loss than 64 from the base',
      [SPARSE_AHEAD, LONG_SPARSE],
      (few, more) => few <= 1.01 * more,
    ),
    lossBand(
      '38 of 4096, Muon, ahead by half: no more loss than 64 with AdamW from the base',
      [MUON_AHEAD_FEW, LONG_SPARSE],
      (few, more) => few <= more,
    ),
    lossBand(
      'sparse within 3.6 % of data-parallel (AdamW) at 100 rounds',
      [LONG_SPARSE, LONG_PARALLEL],
      (ours, parallel) => ours <= 1.036 * parallel,
    ),
    lossBand(
      'sparse, Muon, ahead by half: within 3.6 % of data-parallel with AdamW',
      [MUON_AHEAD, LONG_PARALLEL],
      (ours, parallel) => ours <= 1.036 * parallel,
    ),
    lossBand(
      'sparse, Muon, ahead by half: within 3.6 % of data-parallel with Muon',
      [MUON_AHEAD, LONG_PARALLEL_MUON],
      (ours, parallel) => ours <= 1.036 * parallel,
    ),
    lossBand(
      'dense, Muon, plain averaging: within 2.7 % of data-parallel with Muon',
      [DENSE_MUON, LONG_PARALLEL_MUON],
      (ours, parallel) => ours <= 1.027 * parallel,
    ),
    lossBand(
      'dense, Muon, Nesterov .7 .6: within 2.7 % of data-parallel with Muon',
      [LONG_NESTEROV, LONG_PARALLEL_MUON],
      (ours, parallel) => ours <= 1.027 * parallel,
    ),
    lossBand(
      'dense, Muon, plain averaging: ahead of data-parallel with AdamW',
      [DENSE_MUON, LONG_PARALLEL],
      (ours, parallel) => ours < parallel,
    ),
  ],
};
