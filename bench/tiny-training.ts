/** `tiny` on real text, as the experiments with a few members train it. */
import { buildDataset, Rows } from '@folkmoot/data';
import { defaultDocuments } from '@folkmoot/data/node';
import { ADAMW, momentSizes, type OptimizerRules, PRESETS, parameterLayout, Tokenizer } from '@folkmoot/model';
import type { CodecRules } from '@folkmoot/records';
import { type Moments, zeroError, zeroMoments } from '@folkmoot/training';

export const MODEL = PRESETS.tiny;
export const LAYOUT = parameterLayout(MODEL);
export const BATCH_ROWS = 8;
export const CODECS: Readonly<Record<'dense' | 'sparse', CodecRules>> = {
  dense: { kind: 'dense', block: 4096 },
  sparse: { kind: 'sparse', chunk: 4096, keep: 64, errorDecay: '0.95' },
};
export const OPTIMIZER: OptimizerRules = { ...ADAMW, learningRate: '0.002', warmupSteps: 20 };

const DATA_BYTES = 4 * 2 ** 20;

/** What a member carries from round to round. */
export interface Carried {
  moments: Moments;
  error: Uint16Array;
}

/** A member that has not trained yet. */
export function newMember(): Carried {
  return { moments: zeroMoments(momentSizes(OPTIMIZER, LAYOUT)), error: zeroError(LAYOUT.elements) };
}

/** Documentation and source of the installed dependencies, as a run would have it. */
export async function realText(): Promise<Readonly<Record<'train' | 'holdout', Rows>>> {
  const { documents } = await defaultDocuments(new URL('..', import.meta.url).pathname, DATA_BYTES);
  const texts = documents.map(({ text }) => text);
  const { manifest, shards } = buildDataset(documents, Tokenizer.train(texts, MODEL.vocab), { context: MODEL.context });
  const byId = new Map(shards.map(({ id, bytes }) => [id, bytes]));
  const rowsOf = (split: 'train' | 'holdout') => new Rows(manifest, split, async (id) => byId.get(id)!);
  return { train: rowsOf('train'), holdout: rowsOf('holdout') };
}

/** `count` of `from`, evenly spread. */
export function spreadOver(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.floor((i * from) / count));
}
