/**
 * Help: how well it tells who trained on the rows that it was given, on real text. `tiny`, the charter's codec and
 * aggregator; each round every update is applied alone to the base, and its loss compared on rows of its trainer and on
 * others.
 */
import { hashOf, sha256, utf8 } from '@folkmoot/core';
import { assignedRows, buildDataset, type RowBatch, Rows } from '@folkmoot/data';
import { defaultDocuments } from '@folkmoot/data/node';
import {
  ADAMW,
  evaluateProgram,
  initialParameters,
  momentSizes,
  type OptimizerRules,
  PRESETS,
  parameterLayout,
  Tokenizer,
  trainProgram,
} from '@folkmoot/model';
import type { CodecRules } from '@folkmoot/records';
import { createEngine } from '@folkmoot/tensor/node';
import {
  aggregate,
  applyAggregate,
  decodeUpdate,
  Evaluator,
  encodeUpdate,
  LocalRound,
  type Update,
  zeroError,
  zeroMoments,
} from '@folkmoot/training';
import type { Figure } from './bench.ts';

const MODEL = PRESETS.tiny;
const LAYOUT = parameterLayout(MODEL);
const BATCH_ROWS = 8;
const DATA_BYTES = 4 * 2 ** 20;
const CODECS: Readonly<Record<'dense' | 'sparse', CodecRules>> = {
  dense: { kind: 'dense', block: 4096 },
  sparse: { kind: 'sparse', chunk: 4096, keep: 64, errorDecay: '0.95' },
};
const OPTIMIZER: OptimizerRules = { ...ADAMW, learningRate: '0.002', warmupSteps: 20 };

/** Rows that a witness measures on, of each kind. */
const ROWS = 8;
const HONEST = 4;
const SEEDS = ['a', 'b'];
const ROUNDS = 24;
const STEPS = 20;

export async function* run(signal: AbortSignal): AsyncIterable<Figure> {
  const rows = await realText();
  const found: Sample[] = [];
  for (const seed of SEEDS) for await (const sample of samples(rows, seed, signal)) found.push(sample);
  for (const who of ['honest', 'copycat'] as const) {
    const values = found.filter((sample) => sample.who === who).map(({ help }) => help);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    const note = `± ${spread.toFixed(3)} over ${values.length}; above 0 in ${values.filter((value) => value > 0).length}`;
    yield {
      name: `help of ${who === 'honest' ? 'honest members' : 'a copycat'}`,
      value: mean,
      unit: 'nats/token',
      note,
    };
  }
}

interface Sample {
  round: number;
  who: 'honest' | 'copycat';
  help: number;
}

async function* samples(train: Rows, seedName: string, signal?: AbortSignal): AsyncIterable<Sample> {
  const engine = await createEngine('native');
  const program = trainProgram(MODEL, BATCH_ROWS);
  const local = await LocalRound.create({ engine, train: program, layout: LAYOUT, optimizer: OPTIMIZER });
  const evaluator = await Evaluator.create(engine, evaluateProgram(MODEL, BATCH_ROWS), LAYOUT);
  const { elements } = LAYOUT;
  const rules = { batchRows: BATCH_ROWS, stepsPerRound: STEPS };
  let base = initialParameters(MODEL, sha256(utf8(seedName)));
  const members = Array.from({ length: HONEST }, () => ({
    moments: zeroMoments(momentSizes(OPTIMIZER, LAYOUT)),
    error: zeroError(elements),
  }));
  try {
    for (let round = 1; round <= ROUNDS; round++) {
      signal?.throwIfAborted();
      const seed = hashOf('help', seedName, round);
      const rowsOf = (seat: number) =>
        Array.from({ length: STEPS }, (_, step) => assignedRows(seed, train.count, seat, step, rules));
      const offers: { key: string; who: 'honest' | 'copycat'; seat: number; update: Update }[] = [];
      for (const [seat, member] of members.entries()) {
        await local.start(base, member.moments);
        const batches = await Promise.all(rowsOf(seat).map((rows) => train.read(rows)));
        const first = (round - 1) * STEPS;
        const outcome = await local.runSegment({ batches, globalStep: first, deviceStep: first }, signal);
        if (outcome.outcome === 'diverged') throw new Error(outcome.reason);
        member.moments = outcome.moments;
        const encoded = encodeUpdate(CODECS.dense, LAYOUT, { base, end: outcome.params, errorIn: member.error });
        if (!encoded.ok) throw new Error(encoded.reason);
        const decoded = decodeUpdate(CODECS.dense, LAYOUT, encoded.bytes);
        if (!decoded.ok) throw new Error(decoded.reason);
        offers.push({ key: `seat ${seat}`, who: 'honest', seat, update: decoded.update });
      }
      const combined = aggregate(offers, elements);
      const next = applyAggregate(base, combined, '1');
      // A copycat holds a seat of its own and shows another's update.
      offers.push({ key: 'copy', who: 'copycat', seat: HONEST, update: offers[0]!.update });
      for (const { who, seat, update, key } of offers) {
        const alone = applyAggregate(base, aggregate([{ key, update }], elements), '1');
        const spread = <T>(list: T[]) =>
          Array.from({ length: ROWS }, (_, i) => list[Math.floor((i * list.length) / ROWS)]!);
        const own = await train.read(spread(rowsOf(seat).flat()));
        const other = await train.read(spread(rowsOf(HONEST + 1).flat()));
        const loss = async (params: Float32Array, rows: RowBatch) => evaluator.loss(params, rows);
        const gain = async (rows: RowBatch) => (await loss(base, rows)) - (await loss(alone, rows));
        yield { round, who, help: (await gain(own)) - (await gain(other)) };
      }
      base = next;
    }
  } finally {
    await engine.close();
  }
}

/** Documentation and source of the installed dependencies, as a run would have it. */
async function realText(): Promise<Rows> {
  const { documents } = await defaultDocuments(new URL('..', import.meta.url).pathname, DATA_BYTES);
  const tokenizer = Tokenizer.train(
    documents.map(({ text }) => text),
    MODEL.vocab,
  );
  const { manifest, shards } = buildDataset(documents, tokenizer, { context: MODEL.context });
  const byId = new Map(shards.map(({ id, bytes }) => [id, bytes]));
  return new Rows(manifest, 'train', async (id) => byId.get(id)!);
}
