/** The hold-out loss of a model: what a node says of a base, having computed it itself. */
import type { RowBatch } from '@folkmoot/data';
import type { ParameterLayout } from '@folkmoot/model';
import type { DeviceBuffer, Engine, Executable, Program } from '@folkmoot/tensor';
import { parameterViews } from './parameter-views.ts';

/** Evaluates one arena of parameters after another with one program on one engine. */
export class Evaluator {
  readonly #layout: ParameterLayout;
  readonly #executable: Executable;
  readonly #arena: DeviceBuffer;
  readonly #rows: number;
  readonly #context: number;

  /** `program` is an `evaluateProgram`: its batch size and context are read from its inputs and outputs. */
  static async create(engine: Engine, program: Program, layout: ParameterLayout): Promise<Evaluator> {
    const executable = await engine.load(program);
    return new Evaluator(layout, executable, await engine.allocate('float32', layout.elements));
  }

  private constructor(layout: ParameterLayout, executable: Executable, arena: DeviceBuffer) {
    const { inputs, outputs } = executable.program;
    this.#layout = layout;
    this.#executable = executable;
    this.#arena = arena;
    this.#rows = outputs.find(({ name }) => name === 'nll')!.shape[0];
    this.#context = inputs.find(({ name }) => name === 'tokens')!.shape[0] / this.#rows;
  }

  /**
   * Mean loss of `params` over `batch`, in nats per token; NaN or infinite where the model has diverged.
   *
   * Any number of rows: the last run is filled up with zeros whose losses are not counted.
   */
  async loss(params: Float32Array, batch: RowBatch): Promise<number> {
    await this.#arena.write(params);
    const size = this.#rows * this.#context;
    let total = 0;
    for (let at = 0; at < batch.tokens.length; at += size) {
      const { nll } = await this.#executable.run({
        ...parameterViews(this.#layout, this.#arena),
        tokens: padded(batch.tokens.subarray(at, at + size), size),
        targets: padded(batch.targets.subarray(at, at + size), size),
      });
      const rows = Math.min(this.#rows, (batch.tokens.length - at) / this.#context);
      for (let row = 0; row < rows; row++) total += nll[row];
    }
    return total / batch.tokens.length;
  }

  async free(): Promise<void> {
    await this.#arena.free();
    await this.#executable.free();
  }
}

/** Loss in bits per byte of text, which compares models with different tokenizers. */
export function bitsPerByte(natsPerToken: number, tokens: number, bytes: number): number {
  return (natsPerToken * tokens) / bytes / Math.LN2;
}

function padded(tokens: Int32Array, size: number): Int32Array {
  if (tokens.length === size) return tokens;
  const whole = new Int32Array(size);
  whole.set(tokens);
  return whole;
}
