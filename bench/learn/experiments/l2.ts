/** L2: half of the updates lost on their way. */
import type { Arm } from '../arm.ts';
import { adamw, dense, group, lasting } from '../build-arms.ts';
import { type Experiment, lossBand } from '../experiment.ts';

const DENSE_ALL = lasting(34, dense({ id: 'dense, AdamW .003, 34 rounds of 10', optimizer: adamw('0.003') }), 10);
const DENSE_HALF = { ...DENSE_ALL, id: `${DENSE_ALL.id}, half lost`, drop: 0.5 };
const SPARSE_ALL = lasting(34, group({ id: 'sparse, AdamW .006, 34 rounds of 10', optimizer: adamw('0.006') }), 10);
const SPARSE_HALF = { ...SPARSE_ALL, id: `${SPARSE_ALL.id}, half lost`, drop: 0.5 };
const afterLoss = (what: NonNullable<Arm['afterLoss']>): Arm => ({
  ...SPARSE_HALF,
  id: `${SPARSE_HALF.id}, then ${what}`,
  afterLoss: what,
});
/** At a rate that is not at its edge, so that what a rule is worth stands out of the noise. */
const SLOW_ALL = lasting(34, group({ id: 'sparse, AdamW .003, 34 rounds of 10', optimizer: adamw('0.003') }), 10);
const SLOW_HALF = { ...SLOW_ALL, id: `${SLOW_ALL.id}, half lost`, drop: 0.5 };
const COUNTED: Arm = { ...SLOW_HALF, id: `${SLOW_HALF.id}, then counted`, afterLoss: 'counted' };
const FORGOTTEN: Arm = { ...SLOW_HALF, id: `${SLOW_HALF.id}, then forgotten`, afterLoss: 'forgotten' };
/** Losses are in nats: three percent of perplexity are ln 1.03. */
const THREE_PERCENT = Math.log(1.03);

export const l2: Experiment = {
  id: 'L2',
  title: 'Half of the updates lost, 34 rounds of 10 steps',
  rows: [
    { label: 'dense, all arrive', arm: DENSE_ALL },
    { label: 'dense, half are lost', arm: DENSE_HALF, against: DENSE_ALL },
    { label: 'sparse, all arrive', arm: SPARSE_ALL },
    { label: 'sparse, half are lost, memory spent', arm: SPARSE_HALF, against: SPARSE_ALL },
    { label: 'sparse, half are lost, memory zeroed', arm: afterLoss('zeros'), against: SPARSE_ALL },
    { label: 'sparse, half are lost, memory as before the round', arm: afterLoss('before'), against: SPARSE_ALL },
    { label: 'sparse, half are lost, memory all that was offered', arm: afterLoss('offered'), against: SPARSE_ALL },
    {
      label: 'sparse, half are lost, moments and memory as before the round (what runs do)',
      arm: afterLoss('counted'),
      against: SPARSE_ALL,
    },
    {
      label: 'sparse, half are lost, moments as before the round, memory zeroed (what runs did)',
      arm: afterLoss('forgotten'),
      against: SPARSE_ALL,
    },
    { label: 'sparse .003, all arrive', arm: SLOW_ALL },
    { label: 'sparse .003, half are lost, what runs do', arm: COUNTED, against: SLOW_ALL },
    { label: 'sparse .003, half are lost, what runs did', arm: FORGOTTEN, against: SLOW_ALL },
  ],
  bands: [
    lossBand('dense: at most 3 % of perplexity', [DENSE_HALF, DENSE_ALL], (half, all) => half - all <= THREE_PERCENT),
    lossBand(
      'sparse: at most 3 % of perplexity',
      [SPARSE_HALF, SPARSE_ALL],
      (half, all) => half - all <= THREE_PERCENT,
    ),
    lossBand(
      'sparse .003, what runs do: at most 3 % of perplexity',
      [COUNTED, SLOW_ALL],
      (half, all) => half - all <= THREE_PERCENT,
    ),
    lossBand(
      'sparse .003: keeping the memory is better than zeroing it',
      [COUNTED, FORGOTTEN],
      (kept, zeroed) => kept < zeroed,
    ),
  ],
};
