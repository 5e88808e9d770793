/**
 * Together is better than alone: three members and one train `tiny` from the same start, with the same number of inner
 * steps each, through the same codec and aggregator. The hold-out loss of three must be lower.
 */
import { hashOf, sha256, utf8 } from '@folkmoot/core';
import { assignedRows, type RowBatch, type Rows } from '@folkmoot/data';
import { evaluateProgram, initialParameters, trainProgram } from '@folkmoot/model';
import type { CodecRules } from '@folkmoot/records';
import { createEngine } from '@folkmoot/tensor/node';
import { aggregate, applyAggregate, decodeUpdate, Evaluator, encodeUpdate, LocalRound } from '@folkmoot/training';
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

export interface TogetherOptions {
  /** Members of the larger group, default 3. */
  readonly members?: number;
  /** Default 20. */
  readonly rounds?: number;
  /** H, default 20. */
  readonly stepsPerRound?: number;
  readonly codec?: 'dense' | 'sparse';
  /** α, default 1. */
  readonly outerRate?: string;
  readonly signal?: AbortSignal;
}

/** Hold-out losses after a round, in nats per token. */
export interface TogetherPoint {
  readonly round: number;
  readonly together: number;
  readonly alone: number;
  /** Updates that the aggregator dropped so far, of the larger group. */
  readonly dropped: number;
}

const HOLDOUT_ROWS = 64;
const EVALUATE_EVERY = 5;

/** Prints a table as it grows; resolves to the last line's figures. About two minutes with the defaults. */
export async function benchTogether(
  options: TogetherOptions,
  print: (line: string) => void,
): Promise<TogetherPoint | undefined> {
  let last: TogetherPoint | undefined;
  print(`round  ${options.members ?? 3} members  1 member  dropped`);
  for await (const point of together(options)) {
    const { round, together, alone, dropped } = point;
    print(`${String(round).padStart(5)}  ${together.toFixed(4)}     ${alone.toFixed(4)}    ${dropped}`);
    last = point;
  }
  return last;
}

export async function* run(signal: AbortSignal): AsyncIterable<Figure> {
  const unit = 'nats/token';
  for await (const { round, together: loss, alone } of together({ signal })) {
    yield { name: `hold-out loss after ${round} rounds, three members`, value: loss, unit };
    yield { name: `hold-out loss after ${round} rounds, one member`, value: alone, unit, note: 'as many steps each' };
  }
}

/** Trains both groups round by round; yields their hold-out losses every few rounds and at the end. */
async function* together(options: TogetherOptions): AsyncIterable<TogetherPoint> {
  const { members = 3, rounds = 20, signal } = options;
  const { train, holdout: held } = await realText();
  const holdout = await held.read(spreadOver(held.count, Math.min(HOLDOUT_ROWS, held.count)));
  const engine = await createEngine('native');
  try {
    const program = trainProgram(MODEL, BATCH_ROWS);
    const local = await LocalRound.create({ engine, train: program, layout: LAYOUT, optimizer: OPTIMIZER });
    const evaluator = await Evaluator.create(engine, evaluateProgram(MODEL, BATCH_ROWS), LAYOUT);
    const group = new Group(members, train, local, options);
    const single = new Group(1, train, local, options);
    for (let round = 1; round <= rounds; round++) {
      await group.round(signal);
      await single.round(signal);
      if (round % EVALUATE_EVERY !== 0 && round !== rounds) continue;
      const loss = await evaluator.loss(group.base, holdout);
      yield { round, together: loss, alone: await evaluator.loss(single.base, holdout), dropped: group.dropped };
    }
  } finally {
    await engine.close();
  }
}

/** Members who take turns on one engine; each has its own rows, moments and error memory. */
class Group {
  base = initialParameters(MODEL, sha256(utf8('together')));
  dropped = 0;
  readonly #members: Carried[];
  readonly #rows: Rows;
  readonly #local: LocalRound;
  readonly #codec: CodecRules;
  readonly #stepsPerRound: number;
  readonly #outerRate: string;
  #round = 0;

  constructor(size: number, rows: Rows, local: LocalRound, options: TogetherOptions) {
    this.#members = Array.from({ length: size }, newMember);
    this.#rows = rows;
    this.#local = local;
    this.#codec = CODECS[options.codec ?? 'dense'];
    this.#stepsPerRound = options.stepsPerRound ?? 20;
    this.#outerRate = options.outerRate ?? '1';
  }

  /** One round: every member trains from the base, the updates are aggregated, the base moves. */
  async round(signal?: AbortSignal): Promise<void> {
    const submissions = [];
    for (const [seat, member] of this.#members.entries())
      submissions.push({ key: `seat ${seat}`, update: await this.#train(seat, member, signal) });
    const result = aggregate(submissions, LAYOUT.elements);
    this.dropped += result.fates.filter(({ kept }) => !kept).length;
    this.base = applyAggregate(this.base, result, this.#outerRate);
    this.#round++;
  }

  async #train(seat: number, member: Carried, signal?: AbortSignal) {
    const first = this.#round * this.#stepsPerRound;
    await this.#local.start(this.base, member.moments);
    const segment = { batches: await this.#batches(seat), globalStep: first, deviceStep: first };
    const outcome = await this.#local.runSegment(segment, signal);
    if (outcome.outcome === 'diverged') throw new Error(`training diverged: ${outcome.reason}`);
    member.moments = outcome.moments;
    const result = { base: this.base, end: outcome.params, errorIn: member.error };
    const encoded = encodeUpdate(this.#codec, LAYOUT, result);
    if (!encoded.ok) throw new Error(encoded.reason);
    member.error = encoded.errorOut;
    const decoded = decodeUpdate(this.#codec, LAYOUT, encoded.bytes);
    if (!decoded.ok) throw new Error(decoded.reason);
    return decoded.update;
  }

  #batches(seat: number): Promise<RowBatch[]> {
    const rules = { batchRows: BATCH_ROWS, stepsPerRound: this.#stepsPerRound };
    const seed = hashOf('together', this.#round);
    return Promise.all(
      Array.from({ length: this.#stepsPerRound }, (_, step) =>
        this.#rows.read(assignedRows(seed, this.#rows.count, seat, step, rules)),
      ),
    );
  }
}
