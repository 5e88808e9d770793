/** A member's inner steps, and what it carries from one round to the next. */
import type { RowBatch } from '@folkmoot/data';
import { gradientName, momentSizes, type OptimizerRules, type ParameterLayout } from '@folkmoot/model';
import type { Engine, Executable, Program } from '@folkmoot/tensor';
import { InnerOptimizer, LocalRound, type Moments, parameterViews, zeroMoments } from '@folkmoot/training';
import type { InnerState } from './arm.ts';
import { throughInt8 } from './int8.ts';

/** Moments as they are carried: bfloat16, or float32 where that is what is compared. */
export type Carried = Moments | { readonly m: Float32Array; readonly v: Float32Array };

export interface Inner {
  zero(): Carried;
  /** Trains from `params`; resolves to the end. Throws where training diverges. */
  train(params: Float32Array, carried: Carried, batches: readonly RowBatch[], steps: Steps): Promise<InnerEnd>;
  free(): Promise<void>;
}

export interface Steps {
  readonly globalStep: number;
  readonly deviceStep: number;
}

export interface InnerEnd {
  readonly params: Float32Array;
  readonly carried: Carried;
  /** Mean training loss, nats per token. */
  readonly loss: number;
}

interface InnerOptions {
  readonly engine: Engine;
  readonly train: Program;
  readonly layout: ParameterLayout;
  readonly optimizer: OptimizerRules;
}

/** `LocalRound` where the state is what runs carry; a loop of its own where it is not. */
export async function createInner(options: InnerOptions, state: InnerState): Promise<Inner> {
  return state === 'f32' || state === 'int8' ? FloatInner.create(options, state) : RunInner.create(options);
}

class RunInner implements Inner {
  readonly #local: LocalRound;
  readonly #options: InnerOptions;

  static async create(options: InnerOptions): Promise<RunInner> {
    return new RunInner(await LocalRound.create(options), options);
  }

  private constructor(local: LocalRound, options: InnerOptions) {
    this.#local = local;
    this.#options = options;
  }

  zero(): Moments {
    return zeroMoments(momentSizes(this.#options.optimizer, this.#options.layout));
  }

  async train(params: Float32Array, carried: Carried, batches: readonly RowBatch[], steps: Steps): Promise<InnerEnd> {
    await this.#local.start(params, carried as Moments);
    const end = await this.#local.runSegment({ batches, ...steps });
    if (end.outcome === 'diverged') throw new Error(`training diverged in step ${end.step}: ${end.reason}`);
    return { params: end.params, carried: end.moments, loss: mean(end.losses) };
  }

  async free(): Promise<void> {
    await this.#local.free();
  }
}

class FloatInner implements Inner {
  readonly #executable: Executable;
  readonly #optimizer: InnerOptimizer;
  readonly #options: InnerOptions;
  readonly #state: 'f32' | 'int8';

  static async create(options: InnerOptions, state: 'f32' | 'int8'): Promise<FloatInner> {
    const { engine, train, optimizer, layout } = options;
    const executable = await engine.load(train);
    return new FloatInner(executable, await InnerOptimizer.create(engine, optimizer, layout), options, state);
  }

  private constructor(executable: Executable, optimizer: InnerOptimizer, options: InnerOptions, state: 'f32' | 'int8') {
    this.#executable = executable;
    this.#optimizer = optimizer;
    this.#options = options;
    this.#state = state;
  }

  zero(): Carried {
    const { first, second } = momentSizes(this.#options.optimizer, this.#options.layout);
    return { m: new Float32Array(first), v: new Float32Array(second) };
  }

  async train(params: Float32Array, carried: Carried, batches: readonly RowBatch[], steps: Steps): Promise<InnerEnd> {
    const { m, v } = carried as { m: Float32Array; v: Float32Array };
    const { arenas } = this.#optimizer;
    await arenas.params.write(params);
    await arenas.m.write(m);
    await arenas.v.write(v);
    const losses: number[] = [];
    for (const [step, batch] of batches.entries()) {
      losses.push(await this.#gradient(batch));
      if (!(await this.#optimizer.step(steps.globalStep + step, steps.deviceStep + step)))
        throw new Error('training diverged: the gradient is not finite');
    }
    const end = this.#optimizer.arenas;
    const read = async (name: 'params' | 'm' | 'v', length: number) =>
      (await end[name].read(0, length)) as Float32Array;
    const moments = { m: await read('m', m.length), v: await read('v', v.length) };
    return {
      params: await read('params', params.length),
      carried: this.#state === 'int8' ? throughInt8(moments) : moments,
      loss: mean(losses),
    };
  }

  async free(): Promise<void> {
    await this.#optimizer.free();
    await this.#executable.free();
  }

  async #gradient({ tokens, targets }: RowBatch): Promise<number> {
    const { layout } = this.#options;
    const { arenas, gradient } = this.#optimizer;
    const { loss } = await this.#executable.run({
      ...parameterViews(layout, arenas.params),
      ...parameterViews(layout, gradient, gradientName),
      tokens,
      targets,
    });
    return loss[0];
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}
