/** A single inner step that can be looked at: the state after it as it is, before any rounding. */
import type { RowBatch } from '@folkmoot/data';
import { momentSizes } from '@folkmoot/model';
import type { Bindings } from '@folkmoot/tensor';
import { BatchGradient } from './batch-gradient.ts';
import { unpackBfloat16 } from './bfloat16.ts';
import { InnerOptimizer } from './inner-optimizer.ts';
import type { LocalRoundOptions } from './local-round.ts';

/** Where a step begins: moments as at a segment's border (bfloat16) or as within a segment (float32). */
export interface StepStart {
  readonly params: Float32Array;
  readonly moments: { readonly m: Uint16Array | Float32Array; readonly v: Uint16Array | Float32Array };
}

/** Where it ends. */
export interface StepEnd {
  readonly params: Float32Array;
  readonly moments: { readonly m: Float32Array; readonly v: Float32Array };
  /** Before clipping, in the arena's layout. */
  readonly gradient: Float32Array;
}

/** Allocates once; then any number of steps, each from a state that is given. */
export class OneStep {
  readonly #options: LocalRoundOptions;
  readonly #gradient: BatchGradient;
  readonly #optimizer: InnerOptimizer;

  static async create(options: LocalRoundOptions): Promise<OneStep> {
    const { engine, layout } = options;
    const optimizer = await InnerOptimizer.create(engine, options.optimizer, layout);
    return new OneStep(options, await BatchGradient.create(options, optimizer.gradient), optimizer);
  }

  private constructor(options: LocalRoundOptions, gradient: BatchGradient, optimizer: InnerOptimizer) {
    this.#options = options;
    this.#gradient = gradient;
    this.#optimizer = optimizer;
  }

  /**
   * The step number `step` of the run (and of the device, unless `deviceStep` says otherwise) from `start` over `batch`; `more`
   * binds what else the train program wants.
   *
   * `undefined` where the gradient is not finite.
   */
  async run(
    start: StepStart,
    step: number,
    batch: RowBatch,
    more: Bindings = {},
    deviceStep = step,
  ): Promise<StepEnd | undefined> {
    const { layout, optimizer } = this.#options;
    const { first, second } = momentSizes(optimizer, layout);
    const { gradient, arenas } = this.#optimizer;
    await arenas.params.write(start.params);
    await arenas.m.write(float32(start.moments.m));
    await arenas.v.write(float32(start.moments.v));
    await this.#gradient.run(arenas.params, batch, more);
    if (!(await this.#optimizer.step(step, deviceStep))) return undefined;
    const read = async (buffer: typeof gradient, elements: number) => (await buffer.read(0, elements)) as Float32Array;
    const { params, m, v } = this.#optimizer.arenas;
    return {
      params: await read(params, layout.elements),
      moments: { m: await read(m, first), v: await read(v, second) },
      gradient: await read(gradient, layout.elements),
    };
  }

  async free(): Promise<void> {
    await this.#optimizer.free();
    await this.#gradient.free();
  }
}

function float32(moments: Uint16Array | Float32Array): Float32Array {
  return moments instanceof Float32Array ? moments : unpackBfloat16(moments);
}
