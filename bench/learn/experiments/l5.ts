/** L5: what becomes of the inner optimizer's memory between rounds. */
import type { InnerState } from '../arm.ts';
import { adamw, group, lasting } from '../build-arms.ts';
import { type Experiment, lossBand } from '../experiment.ts';

const BF16 = lasting(34, group({ id: 'sparse, AdamW .006, 34 rounds of 10', optimizer: adamw('0.006') }), 10);
const carrying = (innerState: InnerState) => ({ ...BF16, id: `${BF16.id}, moments ${innerState}`, innerState });
const F32 = carrying('f32');
const INT8 = carrying('int8');
const FRESH = carrying('fresh');
const near = (share: number) => (loss: number, reference: number) => Math.abs(loss / reference - 1) <= share;

export const l5: Experiment = {
  id: 'L5',
  title: 'Inner state between rounds, 34 rounds of 10 steps',
  rows: [
    { label: 'carried in float32', arm: F32 },
    { label: 'carried in bfloat16 (what runs do)', arm: BF16, against: F32 },
    { label: 'carried in 8 bits', arm: INT8, against: F32 },
    { label: 'fresh in every round, 4 steps of warm-up', arm: FRESH, against: F32 },
  ],
  bands: [
    lossBand('bfloat16 within 0.5 % of float32', [BF16, F32], near(0.005)),
    lossBand('fresh moments are the worst', [FRESH, INT8, BF16, F32], (fresh, ...carried) =>
      carried.every((loss) => fresh > loss),
    ),
  ],
};
