/**
 * A round's inner steps on one engine.
 *
 * Trainers and auditors both run this class, so on one kind of engine their bits agree by construction.
 */
import { assert, bytesOf, type Hash, sha256 } from '@folkmoot/core';
import type { RowBatch } from '@folkmoot/data';
import { type MomentSizes, momentSizes, type OptimizerRules, type ParameterLayout } from '@folkmoot/model';
import type { StateIds } from '@folkmoot/records';
import { type Moments, momentsId } from './artifact.ts';
import { BatchGradient, type BatchGradientOptions } from './batch-gradient.ts';
import { hasNonFinite } from './bfloat16.ts';
import { InnerOptimizer } from './inner-optimizer.ts';
import { pieceFor, readBfloat16, readPieces, writePieces } from './pieces.ts';

export interface LocalRoundOptions extends BatchGradientOptions {
  readonly optimizer: OptimizerRules;
}

/** S inner steps. */
export interface Segment {
  /** One batch for each step. */
  readonly batches: readonly RowBatch[];
  /** Of the first step: see `learningRateAt`. */
  readonly globalStep: number;
  readonly deviceStep: number;
}

export type SegmentOutcome =
  | {
      readonly outcome: 'trained';
      /** Of each step, before it: nats per token. */
      readonly losses: readonly number[];
      readonly state: StateIds;
      readonly params: Float32Array;
      readonly moments: Moments;
    }
  /** A loss, a gradient or the state is not finite any more; nothing of the segment is offered. */
  | { readonly outcome: 'diverged'; readonly step: number; readonly reason: string };

/** Allocates once; then any number of rounds, each begun by `start`. */
export class LocalRound {
  readonly #layout: ParameterLayout;
  readonly #sizes: MomentSizes;
  readonly #gradient: BatchGradient;
  readonly #optimizer: InnerOptimizer;
  readonly #piece: number;
  #started = false;

  static async create(options: LocalRoundOptions): Promise<LocalRound> {
    const { engine, layout, optimizer: rules } = options;
    const optimizer = await InnerOptimizer.create(engine, rules, layout);
    const gradient = await BatchGradient.create(options, optimizer.gradient);
    return new LocalRound(layout, momentSizes(rules, layout), gradient, optimizer, pieceFor(engine.memory));
  }

  private constructor(
    layout: ParameterLayout,
    sizes: MomentSizes,
    gradient: BatchGradient,
    optimizer: InnerOptimizer,
    piece: number,
  ) {
    this.#layout = layout;
    this.#sizes = sizes;
    this.#gradient = gradient;
    this.#optimizer = optimizer;
    this.#piece = piece;
  }

  /** Takes a state: N finite parameters, finite moments of the layout's `momentSizes`. */
  async start(params: Float32Array, moments: Moments): Promise<void> {
    assert(params.length === this.#layout.elements, 'a state has N parameters');
    const { first, second } = this.#sizes;
    assert(moments.m.length === first && moments.v.length === second, 'a state has the moments of its optimizer');
    const { arenas } = this.#optimizer;
    await writePieces(arenas.params, params, this.#piece);
    await this.#writeMoments(moments);
    this.#started = true;
  }

  /**
   * Runs a segment from where the last one ended; at its end the moments are rounded to bfloat16 here too.
   *
   * After `diverged`, or where `signal` aborts between two steps (it throws the signal's reason), `start` comes next.
   */
  async runSegment(segment: Segment, signal?: AbortSignal): Promise<SegmentOutcome> {
    assert(this.#started, 'start comes before a segment');
    this.#started = false;
    const losses: number[] = [];
    for (const [step, batch] of segment.batches.entries()) {
      signal?.throwIfAborted();
      const loss = await this.#gradient.run(this.#optimizer.arenas.params, batch);
      if (!Number.isFinite(loss)) return diverged(step, 'The loss is not finite.');
      if (!(await this.#optimizer.step(segment.globalStep + step, segment.deviceStep + step)))
        return diverged(step, 'The gradient is not finite.');
      losses.push(loss);
    }
    return this.#end(losses);
  }

  async free(): Promise<void> {
    await this.#optimizer.free();
    await this.#gradient.free();
  }

  async #end(losses: readonly number[]): Promise<SegmentOutcome> {
    const { first, second } = this.#sizes;
    const { arenas } = this.#optimizer;
    const params = await readPieces(arenas.params, this.#layout.elements, this.#piece);
    const moments = {
      m: await readBfloat16(arenas.m, first, this.#piece),
      v: await readBfloat16(arenas.v, second, this.#piece),
    };
    if (hasNonFinite(params) || hasNonFinite(moments.m) || hasNonFinite(moments.v))
      return diverged(losses.length - 1, 'The state is not finite.');
    await this.#writeMoments(moments);
    this.#started = true;
    const state = { params: paramsId(params), moments: momentsId(moments) };
    return { outcome: 'trained', losses, state, params, moments };
  }

  async #writeMoments({ m, v }: Moments): Promise<void> {
    const { arenas } = this.#optimizer;
    await writePieces(arenas.m, m, this.#piece);
    await writePieces(arenas.v, v, this.#piece);
  }
}

/** The id of the artifact of `params`. */
export function paramsId(params: Float32Array): Hash {
  return sha256(bytesOf(params));
}

function diverged(step: number, reason: string): SegmentOutcome {
  return { outcome: 'diverged', step, reason };
}
