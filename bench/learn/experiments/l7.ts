/** L7: a fifth of the members lies; text shared out at random, or each member with documents of its own. */
import type { Arm, Attack } from '../arm.ts';
import { adamw, dense, group, lasting } from '../build-arms.ts';
import { type Band, type Experiment, lossBand, type Row } from '../experiment.ts';

const ROUNDS = 10;
const STEPS = 10;
const ATTACKS: readonly Attack[] = ['scaled', 'flipped', 'noise', 'copied', 'colluding'];

interface Setting {
  readonly label: string;
  readonly ownDocuments: boolean;
}

const SETTINGS: readonly Setting[] = [
  { label: 'text at random', ownDocuments: false },
  { label: 'documents of their own', ownDocuments: true },
];

function armOf(kind: Attack, merge: 'senders' | 'plain', { label, ownDocuments }: Setting): Arm {
  const liars = kind === 'colluding' ? 2 : 1;
  const id = `${liars} of ${5 * liars} ${kind}, ${merge}, ${label}`;
  const arm = dense({ id, optimizer: adamw('0.003'), members: 5 * liars, rows: 4 / liars });
  return lasting(ROUNDS, { ...arm, attack: { kind, liars }, merge, ownDocuments }, STEPS);
}

/** The honest ones alone: of five, or of ten where two collude. */
function clean(kind: Attack, setting: Setting): Arm {
  if (kind !== 'colluding') return armOf('absent', 'senders', setting);
  return {
    ...armOf('colluding', 'senders', setting),
    id: `2 of 10 absent, ${setting.label}`,
    attack: { kind: 'absent', liars: 2 },
  };
}

/** Sparse updates are averaged over who sent each value, so what a liar alone sends is taken in full. */
const sparseArm = (kind: Attack): Arm => ({
  ...lasting(34, group({ id: `sparse, 1 of 5 ${kind}`, optimizer: adamw('0.003'), members: 5, rows: 4 }), STEPS),
  attack: { kind, liars: 1 },
});
const SPARSE_ATTACKS: readonly Attack[] = ['noise', 'flipped'];

export const l7: Experiment = {
  id: 'L7',
  title: 'A fifth of the members lies',
  rows: [
    ...SETTINGS.flatMap(rowsOf),
    { label: 'nobody lies, 4 members, sparse, 34 rounds', arm: sparseArm('absent') },
    ...SPARSE_ATTACKS.map((kind) => ({
      label: `${kind}, robust, sparse, 34 rounds`,
      arm: sparseArm(kind),
      against: sparseArm('absent'),
    })),
  ],
  bands: [
    ...SETTINGS.flatMap(bandsOf),
    ...SPARSE_ATTACKS.map((kind) =>
      lossBand(
        `${kind}, sparse: robust within 3 % of clean`,
        [sparseArm(kind), sparseArm('absent')],
        (robust, honest) => robust <= 1.03 * honest,
      ),
    ),
  ],
};

function bandsOf(setting: Setting): Band[] {
  return [
    ...ATTACKS.map((kind) =>
      lossBand(
        `${kind}, ${setting.label}: robust within 3 % of clean`,
        [armOf(kind, 'senders', setting), clean(kind, setting)],
        (robust, honest) => robust <= 1.03 * honest,
      ),
    ),
    lossBand(
      `scaled, ${setting.label}: the plain mean breaks`,
      [armOf('scaled', 'plain', setting), clean('scaled', setting)],
      (plain, honest) => plain > 1.1 * honest,
    ),
    {
      text: `nobody honest is dropped, ${setting.label}`,
      holds(result) {
        const results = ATTACKS.map((kind) => result(armOf(kind, 'senders', setting)));
        return results.includes(undefined) ? undefined : results.every((each) => each!.honestDropped === 0);
      },
    },
  ];
}

function rowsOf(setting: Setting): Row[] {
  return [
    { label: `nobody lies, 4 members, ${setting.label}`, arm: clean('scaled', setting) },
    { label: `nobody lies, 8 members, ${setting.label}`, arm: clean('colluding', setting) },
    ...ATTACKS.flatMap((kind): Row[] => [
      {
        label: `${kind}, robust, ${setting.label}`,
        arm: armOf(kind, 'senders', setting),
        against: clean(kind, setting),
      },
      {
        label: `${kind}, plain mean, ${setting.label}`,
        arm: armOf(kind, 'plain', setting),
        against: clean(kind, setting),
      },
    ]),
  ];
}
