/** Learning rates, each tuned for the kind of training that uses it; and what was tried without luck. */
import { adamw, dataParallel, dense, group, lasting, muon } from '../build-arms.ts';
import type { Experiment, Row } from '../experiment.ts';
import { LONG_PARALLEL } from './l1.ts';
import { LONG_SPARSE } from './l3.ts';

const short = ({ label, arm }: Row): Row => ({
  label: `${label}, 34 rounds`,
  arm: lasting(34, { ...arm, id: `${arm.id}, 34 rounds` }),
});

const parallel = (rate: string): Row => ({
  label: `data-parallel, AdamW ${rate}`,
  arm: dataParallel(`data-parallel, AdamW ${rate}`, adamw(`0${rate}`)),
});
const parallelMuon = (rate: string): Row => ({
  label: `data-parallel, Muon ${rate}`,
  arm: dataParallel(`data-parallel, Muon ${rate}`, muon(`0${rate}`)),
});
const denseAdamw = (rate: string): Row => ({
  label: `dense, AdamW ${rate}`,
  arm: dense({ id: `dense, AdamW ${rate}`, optimizer: adamw(`0${rate}`) }),
});
const sparseAdamw = (rate: string): Row => ({
  label: `sparse, AdamW ${rate}`,
  arm: group({ id: `sparse, AdamW ${rate}`, optimizer: adamw(`0${rate}`) }),
});
const denseMuon = (rate: string): Row => ({
  label: `dense, Muon ${rate}`,
  arm: dense({ id: `dense, Muon ${rate}`, optimizer: muon(`0${rate}`) }),
});

export const rates: Experiment = {
  id: 'RATES',
  title: 'Learning rates, and what was tried without luck',
  rows: [
    ...['.006', '.012'].map(parallel).map(short),
    ...['.006', '.012'].map(parallelMuon).map(short),
    ...['.003', '.006', '.012'].map(denseAdamw).map(short),
    ...['.006', '.012'].map(denseMuon).map(short),
    ...['.003', '.006'].map(sparseAdamw).map(short),
    ...['.003', '.006'].map(parallel).map(long),
    ...['.003', '.006'].map(denseAdamw).map(long),
    {
      label: 'sparse, H 6, 16, 34, 64, AdamW .006, 100 rounds',
      arm: {
        ...LONG_SPARSE,
        id: 'sparse, H rising, AdamW .006',
        steps: [
          [0, 6],
          [25, 16],
          [50, 34],
          [75, 64],
        ],
      },
      against: LONG_SPARSE,
    },
  ],
  bands: [],
};

function long({ label, arm }: Row): Row {
  return { label: `${label}, 100 rounds`, arm, against: LONG_PARALLEL };
}
