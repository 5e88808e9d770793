/**
 * What preparing the data does to the hold-out loss: one small decoder, equal tokens, one hold-out, several training sets.
 *
 * The text is everything readable in a share of the installed packages, builds and declarations included, so it has the
 * near-duplicates and the generated files that real collections have. The hold-out is made of prepared documents; what
 * overlaps it is taken out of every training set, but for the one that shows what a leak looks like.
 */
import { globSync } from 'node:fs';
import { sha256, utf8 } from '@folkmoot/core';
import {
  assignedRows,
  holdoutOverlap,
  type PreparationRules,
  prepareDocuments,
  type RowBatch,
  type SourceDocument,
} from '@folkmoot/data';
import { readDocuments } from '@folkmoot/data/node';
import {
  ADAMW,
  END_OF_TEXT_ID,
  evaluateProgram,
  initialParameters,
  type ModelConfig,
  momentSizes,
  type OptimizerRules,
  parameterLayout,
  Tokenizer,
  trainProgram,
} from '@folkmoot/model';
import { createEngine } from '@folkmoot/tensor/node';
import { Evaluator, LocalRound, sumInOrder, textBytes, zeroMoments } from '@folkmoot/training';
import type { Figure } from './bench.ts';

const MODEL: ModelConfig = {
  ...{ vocab: 512, hidden: 64, layers: 2, heads: 2, kvHeads: 2, feedForward: 192, context: 64 },
  ...{ ropeTheta: 10_000, normEpsilon: '0.00001', tied: true },
};
const OPTIMIZER: OptimizerRules = { ...ADAMW, learningRate: '0.002', warmupSteps: 50 };
const BATCH_ROWS = 16;
const STEPS = 600;
const SEEDS = [1, 2, 3];
const HOLDOUT_ROWS = 768;
/** Of 256 packages this many; whole ones, since a package's near-duplicates are its own. */
const PACKAGE_SHARE = 48;
/** Of 256 prepared documents this many are held out. */
const HOLDOUT_SHARE = 24;
const MAX_FILE_BYTES = 2 ** 18;

interface Arm {
  readonly name: string;
  readonly documents: readonly SourceDocument[];
  /** What was left out of all that was read, hold-out apart. */
  readonly note: string;
}

export async function* run(signal: AbortSignal): AsyncIterable<Figure> {
  const { arms, holdout } = await arrange();
  const tokenizer = Tokenizer.train(
    arms.find(({ name }) => name === 'both')!.documents.map(({ text }) => text),
    MODEL.vocab,
  );
  const held = rowsOf(tokenizer, holdout);
  const count = Math.min(HOLDOUT_ROWS, held.count);
  const spread = Array.from({ length: count }, (_, i) => Math.floor((i * held.count) / count));
  const batch = held.read(spread);
  const bytes = textBytes(tokenizer, batch.targets);
  yield {
    name: 'hold-out',
    value: count,
    unit: 'rows',
    note: `of ${holdout.length} documents, ${bytes} bytes of text`,
  };
  const engine = await createEngine('native', { threads: 1 });
  try {
    const local = await LocalRound.create({
      ...{ engine, train: trainProgram(MODEL, BATCH_ROWS), layout: parameterLayout(MODEL), optimizer: OPTIMIZER },
    });
    const evaluator = await Evaluator.create(engine, evaluateProgram(MODEL, BATCH_ROWS), parameterLayout(MODEL));
    for (const arm of arms) {
      const rows = rowsOf(tokenizer, arm.documents);
      const losses: number[] = [];
      for (const seed of SEEDS) {
        await evaluator.load(await train(local, rows, seed, signal));
        losses.push(sumInOrder(await evaluator.rowLosses(batch)) / bytes / Math.LN2);
      }
      const each = losses.map((loss) => loss.toFixed(4)).join(' ');
      const value = sumInOrder(losses) / losses.length;
      yield { name: arm.name, value, unit: 'bits/byte', note: `${each}; ${rows.count} rows; ${arm.note}` };
    }
  } finally {
    await engine.close();
  }
}

async function arrange(): Promise<{ arms: Arm[]; holdout: readonly SourceDocument[] }> {
  const folders = globSync('node_modules/.pnpm/*/node_modules/{*,@*/*}/package.json', { cwd: root })
    .map((path) => path.slice(0, -'/package.json'.length))
    .filter((path) => byteOf(path) < PACKAGE_SHARE)
    .map((path) => `${root}${path}`);
  const { documents, summary } = await readDocuments(folders, { maxFileBytes: MAX_FILE_BYTES });
  const prepared = (rules: PreparationRules) => prepareDocuments(documents, summary, rules).documents;
  const holdout = prepared({}).filter(({ sha256: id }) => Number.parseInt(id.slice(0, 2), 16) < HOLDOUT_SHARE);
  const held = new Set(holdout.map(({ sha256: id }) => id));
  const arm = (name: string, all: readonly SourceDocument[], leaky = false): Arm => {
    const others = all.filter(({ sha256: id }) => !held.has(id));
    const texts = (list: readonly SourceDocument[]) => list.map(({ text }) => text);
    const overlap = leaky ? new Set<number>() : holdoutOverlap(texts(others), texts(holdout));
    const kept = others.filter((_, i) => !overlap.has(i));
    const size = (list: readonly SourceDocument[]) => list.reduce((sum, document) => sum + document.bytes, 0);
    const share = (100 * (1 - size(all) / size(documents))).toFixed(1);
    const note = `${kept.length} documents, ${(size(kept) / 1e6).toFixed(2)} MB; ${share} % left out by rules, ${overlap.size} documents for overlap`;
    return { name, documents: kept, note };
  };
  const arms = [
    arm('as read', prepared({ quality: false, nearDuplicates: false })),
    arm('near-duplicates dropped', prepared({ quality: false })),
    arm('quality filters', prepared({ nearDuplicates: false })),
    arm('both', prepared({})),
    arm('as read, overlap kept', prepared({ quality: false, nearDuplicates: false }), true),
  ];
  return { arms, holdout };
}

const root = new URL('..', import.meta.url).pathname;

/** By the package's path inside the workspace, so that everybody with the same lockfile takes the same ones. */
const byteOf = (name: string) => Number.parseInt(sha256(utf8(name)).slice(0, 2), 16);

interface TokenRows {
  readonly count: number;
  read(rows: readonly number[]): RowBatch;
}

function rowsOf(tokenizer: Tokenizer, documents: readonly SourceDocument[]): TokenRows {
  const { context } = MODEL;
  const parts = documents.map(({ text }) => Uint16Array.from([...tokenizer.encodeDocument(text), END_OF_TEXT_ID]));
  const all = new Uint16Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  const pick = (rows: readonly number[], shift: number) => {
    const tokens = new Int32Array(rows.length * context);
    for (const [i, row] of rows.entries())
      tokens.set(all.subarray(row * context + shift, row * context + shift + context), i * context);
    return tokens;
  };
  return {
    count: Math.floor((all.length - 1) / context),
    read: (rows) => ({ tokens: pick(rows, 0), targets: pick(rows, 1) }),
  };
}

async function train(local: LocalRound, rows: TokenRows, seed: number, signal: AbortSignal): Promise<Float32Array> {
  const moments = zeroMoments(momentSizes(OPTIMIZER, parameterLayout(MODEL)));
  const id = sha256(utf8(`data ${seed}`));
  const rules = { batchRows: BATCH_ROWS, stepsPerRound: STEPS };
  const batches = Array.from({ length: STEPS }, (_, step) => rows.read(assignedRows(id, rows.count, 0, step, rules)));
  await local.start(initialParameters(MODEL, id), moments);
  const outcome = await local.runSegment({ batches, globalStep: 0, deviceStep: 0 }, signal);
  if (outcome.outcome === 'diverged') throw new Error(outcome.reason);
  return outcome.params;
}
