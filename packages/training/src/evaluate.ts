/** The hold-out loss of a model: what a node says of a base, having computed it itself. */
import type { RowBatch } from '@folkmoot/data';
import type { ParameterLayout } from '@folkmoot/model';
import type { DeviceBuffer, Engine, Executable, Program } from '@folkmoot/tensor';
import { parameterViews } from './parameter-views.ts';
import { pieceFor, writePieces } from './pieces.ts';

/** Evaluates one arena of parameters after another with one program on one engine. */
export class Evaluator {
  readonly #layout: ParameterLayout;
  readonly #executable: Executable;
  readonly #arena: DeviceBuffer;
  readonly #piece: number;
  readonly #rows: number;
  readonly #context: number;

  /** `program` is an `evaluateProgram`: its batch size and context are read from its inputs and outputs. */
  static async create(engine: Engine, program: Program, layout: ParameterLayout): Promise<Evaluator> {
    const executable = await engine.load(program);
    const arena = await engine.allocate('float32', layout.elements);
    return new Evaluator(layout, executable, arena, pieceFor(engine.memory));
  }

  private constructor(layout: ParameterLayout, executable: Executable, arena: DeviceBuffer, piece: number) {
    const { inputs, outputs } = executable.program;
    this.#layout = layout;
    this.#executable = executable;
    this.#arena = arena;
    this.#piece = piece;
    this.#rows = outputs.find(({ name }) => name === 'nll')!.shape[0];
    this.#context = inputs.find(({ name }) => name === 'tokens')!.shape[0] / this.#rows;
  }

  /** Mean loss of `params` over `batch`, in nats per token; NaN or infinite where the model has diverged. */
  async loss(params: Float32Array, batch: RowBatch): Promise<number> {
    await this.load(params);
    return sumInOrder(await this.rowLosses(batch)) / batch.tokens.length;
  }

  /** Takes the N parameters that `rowLosses` is about from now on. */
  async load(params: Float32Array): Promise<void> {
    await writePieces(this.#arena, params, this.#piece);
  }

  /**
   * The summed loss of each row of `batch`, in nats.
   *
   * Any number of rows: the last run is filled up with zeros whose losses are not counted. The same rows in the same
   * order give the same bits; another order may group them otherwise.
   */
  async rowLosses({ tokens, targets }: RowBatch): Promise<Float32Array> {
    const size = this.#rows * this.#context;
    const losses = new Float32Array(tokens.length / this.#context);
    for (let at = 0; at < tokens.length; at += size) {
      const { nll } = await this.#executable.run({
        ...parameterViews(this.#layout, this.#arena),
        tokens: padded(tokens.subarray(at, at + size), size),
        targets: padded(targets.subarray(at, at + size), size),
      });
      const first = at / this.#context;
      losses.set(nll!.subarray(0, Math.min(this.#rows, losses.length - first)), first);
    }
    return losses;
  }

  async free(): Promise<void> {
    await this.#arena.free();
    await this.#executable.free();
  }
}

/** One after the other in double precision, so that everybody rounds alike. */
export function sumInOrder(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

function padded(tokens: Int32Array, size: number): Int32Array {
  if (tokens.length === size) return tokens;
  const whole = new Int32Array(size);
  whole.set(tokens);
  return whole;
}
