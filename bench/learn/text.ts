/** The laboratory's text and model: a byte-level decoder on documentation and source of the installed dependencies. */
import { readFile } from 'node:fs/promises';
import { type Hash, idOf } from '@folkmoot/core';
import { buildDataset, type RowBatch, Rows } from '@folkmoot/data';
import { defaultDocuments } from '@folkmoot/data/node';
import { type ModelConfig, parameterLayout, Tokenizer } from '@folkmoot/model';

/** 123,264 parameters; one token a byte, so that the embedding does not dominate. */
export const MODEL: ModelConfig = {
  ...{ vocab: 257, hidden: 64, layers: 2, heads: 2, kvHeads: 2, feedForward: 192, context: 64 },
  ...{ ropeTheta: 10_000, normEpsilon: '0.00001', tied: true },
};
export const LAYOUT = parameterLayout(MODEL);
const DATA_BYTES = 4 * 2 ** 20;
const HOLDOUT_ROWS = 512;

export interface Text {
  /** Of the tokens alone: results of different texts are not compared. */
  readonly id: Hash;
  readonly train: Rows;
  /** Spread over the whole hold-out. */
  readonly holdout: RowBatch;
}

export async function realText(): Promise<Text> {
  // By name and version, so that another dependency of the project is not a new text, with every result to be had again.
  const names = await readFile(new URL('packages.txt', import.meta.url), 'utf8');
  const root = new URL('../..', import.meta.url).pathname;
  const { documents } = await defaultDocuments(root, DATA_BYTES, new Set(names.split('\n')));
  const tokenizer = Tokenizer.train([], MODEL.vocab);
  // Fourteen documents that quote the hold-out stay (1.8 % of the text): arms are compared with each other on one text.
  const rules = { context: MODEL.context, keepHoldoutOverlap: true };
  const { manifest, shards } = buildDataset(documents, tokenizer, rules);
  const byId = new Map(shards.map(({ id, bytes }) => [id, bytes]));
  const rowsOf = (split: 'train' | 'holdout') => new Rows(manifest, split, async (id) => byId.get(id)!);
  const held = rowsOf('holdout');
  const count = Math.min(HOLDOUT_ROWS, held.count);
  const spread = Array.from({ length: count }, (_, i) => Math.floor((i * held.count) / count));
  const id = idOf({ train: manifest.train.root, holdout: manifest.holdout.root });
  return { id, train: rowsOf('train'), holdout: await held.read(spread) };
}
