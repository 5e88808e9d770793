/** What was tried on the way to fewer bytes, in a third of the work: 100 rounds of 10 steps, one seed where more says nothing. */
import type { Arm } from '../arm.ts';
import { adamw, group, lasting, muon, sparse } from '../build-arms.ts';
import type { Experiment } from '../experiment.ts';
import type { TriedCodec } from '../tried-codec.ts';

const RATE = adamw('0.006');
const brief = (part: Partial<Arm> & Pick<Arm, 'id' | 'optimizer'>) =>
  lasting(100, group({ ...part, id: `100 rounds of 10: ${part.id}` }), 10);

const PLAIN = brief({ id: 'sparse 64', optimizer: RATE });
const ahead = (share: string): Arm => ({ ...PLAIN, id: `${PLAIN.id}, ahead ${share}`, ahead: share });
const tried = (id: string, codec: TriedCodec) => brief({ id, optimizer: RATE, tried: codec });

export const tries: Experiment = {
  id: 'TRIES',
  title: 'Fewer bytes: what was tried, 100 rounds of 10 steps',
  rows: [
    { label: '64 of 4096', arm: PLAIN },
    {
      label: '38 of 4096',
      arm: brief({ id: 'sparse 38', optimizer: RATE, codec: [[0, sparse(38)]] }),
      against: PLAIN,
    },
    ...['0.5', '0.7', '1'].map((share) => ({
      label: `64 of 4096, ahead by ${share} of the error memory`,
      arm: ahead(share),
      against: PLAIN,
    })),
    {
      label: '64 of 4096, ahead by 0.5 from round 20 on',
      arm: { ...ahead('0.5'), id: `${PLAIN.id}, ahead 0.5 from 20`, aheadFrom: 20 },
      against: PLAIN,
    },
    {
      label: '64 of 4096, ahead by 0.5, AdamW .003',
      arm: { ...brief({ id: 'sparse 64, AdamW .003, ahead .5', optimizer: adamw('0.003') }), ahead: '0.5' },
      against: PLAIN,
    },
    {
      label: '64 of 4096, ahead by 0.5, Muon .006',
      arm: { ...brief({ id: 'sparse 64, Muon .006, ahead .5', optimizer: muon('0.006') }), ahead: '0.5' },
      against: PLAIN,
    },
    {
      label: 'the same 392 of 4096 for all, by chance, one bit each',
      arm: tried('shared 392, signs', { select: 'shared', keep: 392, errorDecay: '0.95' }),
      against: PLAIN,
    },
    {
      label: '64 of 4096, ahead by 0.5, AdamW with β .95 and .99',
      arm: {
        ...brief({ id: 'sparse 64, slow AdamW, ahead .5', optimizer: { ...RATE, beta1: '0.95', beta2: '0.99' } }),
        ahead: '0.5',
      },
      against: PLAIN,
    },
  ],
  bands: [],
};
