/**
 * Help: how well it tells who trained on the rows that it was given, on real text. `tiny`, the charter's codec and
 * aggregator; each round every update is applied alone to the base, and its loss compared on rows of its trainer and on
 * others.
 */
import { type Hash, hashOf, sha256, utf8 } from '@folkmoot/core';
import { assignedRows, type RowBatch, type Rows } from '@folkmoot/data';
import { evaluateProgram, initialParameters, trainProgram } from '@folkmoot/model';
import { createEngine } from '@folkmoot/tensor/node';
import {
  aggregate,
  applyAggregate,
  decodeUpdate,
  Evaluator,
  encodeUpdate,
  LocalRound,
  type Update,
} from '@folkmoot/training';
import type { Figure } from './bench.ts';
import {
  BATCH_ROWS,
  type Carried,
  CODECS,
  LAYOUT,
  MODEL,
  newMember,
  OPTIMIZER,
  realText,
  spreadOver,
} from './tiny-training.ts';

/** Rows that a witness measures on, of each kind. */
const ROWS = 8;
const HONEST = 4;
const SEEDS = ['a', 'b'];
const ROUNDS = 24;
const STEPS = 20;

export async function* run(signal: AbortSignal): AsyncIterable<Figure> {
  const { train: rows } = await realText();
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

type Who = 'honest' | 'copycat';

interface Sample {
  readonly round: number;
  readonly who: Who;
  /** Nats per token. */
  readonly help: number;
}

interface Offer {
  readonly key: string;
  readonly who: Who;
  readonly seat: number;
  readonly update: Update;
}

async function* samples(train: Rows, seedName: string, signal?: AbortSignal): AsyncIterable<Sample> {
  const engine = await createEngine('native');
  try {
    const options = { engine, train: trainProgram(MODEL, BATCH_ROWS), layout: LAYOUT, optimizer: OPTIMIZER };
    const local = await LocalRound.create(options);
    const evaluator = await Evaluator.create(engine, evaluateProgram(MODEL, BATCH_ROWS), LAYOUT);
    const members = Array.from({ length: HONEST }, newMember);
    let base = initialParameters(MODEL, sha256(utf8(seedName)));
    for (let round = 1; round <= ROUNDS; round++) {
      signal?.throwIfAborted();
      const rowsOf = rowsIn(train, hashOf('help', seedName, round));
      const offers: Offer[] = [];
      for (const [seat, member] of members.entries())
        offers.push(await trained(local, base, member, { train, rows: rowsOf(seat), seat, round }, signal));
      const combined = aggregate(offers, LAYOUT.elements);
      // A copycat holds a seat of its own and shows another's update.
      offers.push({ key: 'copy', who: 'copycat', seat: HONEST, update: offers[0]!.update });
      const other = await measuredOn(train, rowsOf(HONEST + 1));
      for (const offer of offers) {
        const own = await measuredOn(train, rowsOf(offer.seat));
        yield { round, who: offer.who, help: await helpOf(offer, base, own, other, evaluator) };
      }
      base = applyAggregate(base, combined, '1');
    }
  } finally {
    await engine.close();
  }
}

/** The rows of each step, by seat. */
function rowsIn(train: Rows, seed: Hash): (seat: number) => number[][] {
  const rules = { batchRows: BATCH_ROWS, stepsPerRound: STEPS };
  return (seat) => Array.from({ length: STEPS }, (_, step) => assignedRows(seed, train.count, seat, step, rules));
}

interface Task {
  readonly train: Rows;
  readonly rows: readonly number[][];
  readonly seat: number;
  readonly round: number;
}

async function trained(
  local: LocalRound,
  base: Float32Array,
  member: Carried,
  { train, rows, seat, round }: Task,
  signal?: AbortSignal,
): Promise<Offer> {
  await local.start(base, member.moments);
  const batches = await Promise.all(rows.map((step) => train.read(step)));
  const first = (round - 1) * STEPS;
  const outcome = await local.runSegment({ batches, globalStep: first, deviceStep: first }, signal);
  if (outcome.outcome === 'diverged') throw new Error(outcome.reason);
  member.moments = outcome.moments;
  const encoded = encodeUpdate(CODECS.dense, LAYOUT, { base, end: outcome.params, errorIn: member.error });
  if (!encoded.ok) throw new Error(encoded.reason);
  const decoded = decodeUpdate(CODECS.dense, LAYOUT, encoded.bytes);
  if (!decoded.ok) throw new Error(decoded.reason);
  return { key: `seat ${seat}`, who: 'honest', seat, update: decoded.update };
}

function measuredOn(train: Rows, rows: readonly number[][]): Promise<RowBatch> {
  const all = rows.flat();
  return train.read(spreadOver(all.length, ROWS).map((i) => all[i]!));
}

/** By how much more the update alone, applied to the base, lowers the loss on `own` rows than on `other` ones. */
async function helpOf(
  { key, update }: Offer,
  base: Float32Array,
  own: RowBatch,
  other: RowBatch,
  evaluator: Evaluator,
): Promise<number> {
  const alone = applyAggregate(base, aggregate([{ key, update }], LAYOUT.elements), '1');
  const gain = async (rows: RowBatch) => (await evaluator.loss(base, rows)) - (await evaluator.loss(alone, rows));
  return (await gain(own)) - (await gain(other));
}
