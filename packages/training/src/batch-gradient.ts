/** The gradient of a step's batch: in one run of the train program, or as the mean over micro-batches in their order. */
import { assert } from '@folkmoot/core';
import type { RowBatch } from '@folkmoot/data';
import { accumulateProgram, chunkFor, gradientName, meanFactor, type ParameterLayout } from '@folkmoot/model';
import type { Bindings, DeviceBuffer, Engine, Executable, Program } from '@folkmoot/tensor';
import { parameterViews } from './parameter-views.ts';

export interface BatchGradientOptions {
  readonly engine: Engine;
  /** A `trainProgram` of as many rows as a micro-batch has. */
  readonly train: Program;
  readonly layout: ParameterLayout;
  /** Default 1: all rows at once. */
  readonly microBatches?: number;
}

interface Accumulation {
  readonly add: Executable;
  /** The gradient of one micro-batch. */
  readonly micro: DeviceBuffer;
  /** Takes turns with the gradient's own buffer where the engine cannot add in place. */
  readonly spare: DeviceBuffer | undefined;
}

/** Allocates once; then any number of batches. */
export class BatchGradient {
  readonly #layout: ParameterLayout;
  readonly #count: number;
  readonly #train: Executable;
  readonly #gradient: DeviceBuffer;
  readonly #accumulation: Accumulation | undefined;

  /** `gradient`: where the result is wanted, in the arena's layout, padded as the optimizer pads it. */
  static async create(options: BatchGradientOptions, gradient: DeviceBuffer): Promise<BatchGradient> {
    const { engine, train, microBatches: count = 1 } = options;
    assert(Number.isInteger(count) && count >= 1, 'a batch is a whole number of micro-batches');
    const executable = await engine.load(train);
    const accumulation = count === 1 ? undefined : await accumulationOn(engine, gradient);
    return new BatchGradient(options.layout, count, executable, gradient, accumulation);
  }

  private constructor(
    layout: ParameterLayout,
    count: number,
    train: Executable,
    gradient: DeviceBuffer,
    accumulation: Accumulation | undefined,
  ) {
    this.#layout = layout;
    this.#count = count;
    this.#train = train;
    this.#gradient = gradient;
    this.#accumulation = accumulation;
  }

  /**
   * Computes the gradient at `params`; its loss, nats per token, is the mean of the micro-batches'. `more` binds what else
   * the train program wants.
   */
  async run(params: DeviceBuffer, batch: RowBatch, more: Bindings = {}): Promise<number> {
    let losses = 0;
    let sum = this.#first();
    for (const [index, part] of parts(batch, this.#count).entries()) {
      const target = index === 0 ? sum : this.#accumulation!.micro;
      const { loss } = await this.#train.run({
        ...parameterViews(this.#layout, params),
        ...parameterViews(this.#layout, target, gradientName),
        ...{ ...part, ...more },
      });
      losses += loss![0]!;
      if (index > 0) sum = await this.#add(sum, meanFactor(index, this.#count));
    }
    assert(sum === this.#gradient, 'the mean arrives where it is awaited');
    return losses / this.#count;
  }

  async free(): Promise<void> {
    await this.#train.free();
    await this.#accumulation?.add.free();
    await this.#accumulation?.micro.free();
    await this.#accumulation?.spare?.free();
  }

  /** Where the first micro-batch's gradient goes, so that after all additions the sum is in the gradient's buffer. */
  #first(): DeviceBuffer {
    const spare = this.#accumulation?.spare;
    return spare && this.#count % 2 === 0 ? spare : this.#gradient;
  }

  /** Adds the micro-batch's gradient to `sum`; where the new sum is. */
  async #add(sum: DeviceBuffer, factor: number): Promise<DeviceBuffer> {
    const { add, micro, spare } = this.#accumulation!;
    const target = !spare ? sum : sum === spare ? this.#gradient : spare;
    const size = add.program.inputs[0]!.shape[0]!;
    const offsets = Array.from({ length: Math.ceil(this.#layout.elements / size) }, (_, chunk) => chunk * size);
    await add.runEach(
      offsets.map((offset) => ({
        sum: { buffer: sum, offset },
        g: { buffer: micro, offset },
        factor: Float32Array.of(factor),
        newSum: { buffer: target, offset },
      })),
    );
    return target;
  }
}

async function accumulationOn(engine: Engine, { elements }: DeviceBuffer): Promise<Accumulation> {
  const add = await engine.load(accumulateProgram(chunkFor(engine.memory, elements)));
  const arena = () => engine.allocate('float32', elements);
  return { add, micro: await arena(), spare: add.inPlace ? undefined : await arena() };
}

function parts({ tokens, targets }: RowBatch, count: number): RowBatch[] {
  const size = tokens.length / count;
  const part = (all: Int32Array, index: number) => all.subarray(index * size, (index + 1) * size);
  return Array.from({ length: count }, (_, index) => ({ tokens: part(tokens, index), targets: part(targets, index) }));
}
