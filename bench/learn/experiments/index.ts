/** All experiments, in the order in which they are reported. */
import type { Arm } from '../arm.ts';
import type { Experiment } from '../experiment.ts';
import { l1 } from './l1.ts';
import { l2 } from './l2.ts';
import { l3 } from './l3.ts';
import { l4 } from './l4.ts';
import { l5 } from './l5.ts';
import { l6 } from './l6.ts';
import { l7 } from './l7.ts';
import { l8 } from './l8.ts';
import { rates } from './rates.ts';
import { tries } from './tries.ts';

export const EXPERIMENTS: readonly Experiment[] = [l1, l2, l3, l4, l5, l6, l7, l8, rates, tries];

export interface Plot {
  readonly kind: 'curves' | 'frontier';
  readonly title: string;
  readonly file: string;
  readonly arms: readonly { readonly label: string; readonly arm: Arm }[];
}

const hundred = l8.rows.filter(({ arm }) => arm.rounds === 100);

export const PLOTS: readonly Plot[] = [
  { kind: 'curves', title: 'Loss by rounds, 100 rounds', file: 'rounds.svg', arms: hundred },
  {
    kind: 'curves',
    title: 'Loss by rounds and members, 34 rounds',
    file: 'members.svg',
    arms: l1.rows.filter(({ arm }) => arm.rounds === 34),
  },
  { kind: 'frontier', title: 'Loss by bytes, 100 rounds', file: 'frontier.svg', arms: hundred },
];
