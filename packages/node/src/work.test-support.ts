/** A `TensorWork` on a few documents, without a run around it. */
import { hashOf, sha256, utf8 } from '@folkmoot/core';
import { buildDataset, type SourceDocument } from '@folkmoot/data';
import { initialParameters, parameterLayout, Tokenizer } from '@folkmoot/model';
import type { Charter } from '@folkmoot/records';
import type { Engine } from '@folkmoot/tensor';
import { RUN_PRESETS, type RunRules } from './presets.ts';
import { runPrograms, TensorWork, type TensorWorkOptions, zeroIds } from './tensor-work.ts';
import type { Assignment } from './work.ts';

export const ASSIGNMENT: Assignment = { round: 1, seed: hashOf('seed', 'work'), seat: 0, skip: 0, carriedSteps: 0 };

export const TINY_RULES: RunRules = {
  ...RUN_PRESETS.tiny,
  model: { ...RUN_PRESETS.tiny.model, vocab: 257, hidden: 16, layers: 2, heads: 2, kvHeads: 1, feedForward: 32 },
  batchRows: 2,
  stepsPerRound: 6,
  stepsPerSegment: 2,
};

/** Tokens are bytes, so any vocabulary will do; the text is one number after another. */
export function workOn(engine: Engine, rules: RunRules, options: TensorWorkOptions = {}) {
  const tokenizer = new Tokenizer([]);
  const rows = Math.max(64, 4 * rules.batchRows * rules.stepsPerRound);
  const documents = Array.from({ length: 60 }, (_, i): SourceDocument => {
    const text = Array.from({ length: Math.ceil((rows * rules.model.context) / 240) }, (_, n) => `${i * n} `).join('');
    return { name: `${i}.txt`, text, sha256: sha256(utf8(text)), bytes: text.length, licence: 'CC0-1.0' };
  });
  const dataset = buildDataset(documents, tokenizer, { context: rules.model.context });
  const programs = runPrograms(rules);
  const ids = Object.entries(programs).map(([name, program]) => [name, program.id]);
  const charter = {
    ...rules,
    ...zeroIds(rules),
    parameters: parameterLayout(rules.model).elements,
    programs: Object.fromEntries(ids) as Charter['programs'],
    dataset: { trainRows: dataset.manifest.train.rows, holdoutRows: dataset.manifest.holdout.rows },
  } as Charter;
  const shards = new Map(dataset.shards.map(({ bytes }) => [sha256(bytes), bytes]));
  const work = new TensorWork(charter, engine, dataset.manifest, async (id) => shards.get(id)!, options);
  return { charter, work, initial: () => initialParameters(rules.model, hashOf('initial', 'work')) };
}
