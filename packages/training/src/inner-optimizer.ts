/** The optimizer's share of an inner step: arenas in pairs, one chunk after another. */
import {
  type AdamwRules,
  adamwProgram,
  CHUNK,
  clipScaleOf,
  decayOffset,
  decayTable,
  learningRateAt,
  normProgram,
  type ParameterLayout,
  paddedElements,
  powersAfter,
  type StepScalars,
  stepScalars,
} from '@folkmoot/model';
import type { Bindings, DeviceBuffer, Engine, Executable } from '@folkmoot/tensor';

/** Arenas in the engine's memory, `paddedElements(N)` each. */
export interface Arenas {
  readonly params: DeviceBuffer;
  readonly m: DeviceBuffer;
  readonly v: DeviceBuffer;
}

export class InnerOptimizer {
  readonly #rules: AdamwRules;
  readonly #layout: ParameterLayout;
  readonly #adamw: Executable;
  readonly #norm: Executable;
  readonly #gradient: DeviceBuffer;
  readonly #sums: DeviceBuffer;
  readonly #keep: DeviceBuffer;
  #now: Arenas;
  #next: Arenas;
  #kept = Number.NaN;

  static async create(engine: Engine, rules: AdamwRules, layout: ParameterLayout): Promise<InnerOptimizer> {
    const size = paddedElements(layout.elements);
    const arena = () => engine.allocate('float32', size);
    const arenas = async () => ({ params: await arena(), m: await arena(), v: await arena() });
    return new InnerOptimizer(rules, layout, {
      adamw: await engine.load(adamwProgram(rules)),
      norm: await engine.load(normProgram()),
      gradient: await arena(),
      sums: await engine.allocate('float32', size / CHUNK),
      keep: await engine.allocate('float32', 2 * CHUNK),
      now: await arenas(),
      next: await arenas(),
    });
  }

  private constructor(
    rules: AdamwRules,
    layout: ParameterLayout,
    parts: {
      readonly adamw: Executable;
      readonly norm: Executable;
      readonly gradient: DeviceBuffer;
      readonly sums: DeviceBuffer;
      readonly keep: DeviceBuffer;
      readonly now: Arenas;
      readonly next: Arenas;
    },
  ) {
    this.#rules = rules;
    this.#layout = layout;
    this.#adamw = parts.adamw;
    this.#norm = parts.norm;
    this.#gradient = parts.gradient;
    this.#sums = parts.sums;
    this.#keep = parts.keep;
    this.#now = parts.now;
    this.#next = parts.next;
  }

  /** Where the state is now; other buffers after each step. */
  get arenas(): Arenas {
    return this.#now;
  }

  /** Where the step's gradient is awaited, in the arena's layout. */
  get gradient(): DeviceBuffer {
    return this.#gradient;
  }

  /**
   * One AdamW step from the gradient. `globalStep` and `deviceStep` as in `learningRateAt`.
   *
   * False, with the state as it was, where the gradient is not finite.
   */
  async step(globalStep: number, deviceStep: number): Promise<boolean> {
    const sumSquares = await this.#sumSquares();
    if (!Number.isFinite(sumSquares)) return false;
    const scalars = stepScalars(this.#rules, {
      powers: powersAfter(this.#rules, deviceStep + 1),
      learningRate: learningRateAt(this.#rules, globalStep, deviceStep),
      clipScale: clipScaleOf(this.#rules, sumSquares),
    });
    if (scalars.keep !== this.#kept) await this.#keep.write(decayTable(scalars.keep));
    this.#kept = scalars.keep;
    await this.#adamw.runEach(this.#chunks().map((start) => this.#bindings(start, scalars)));
    [this.#now, this.#next] = [this.#next, this.#now];
    return true;
  }

  async free(): Promise<void> {
    const arenas = [this.#now, this.#next].flatMap(({ params, m, v }) => [params, m, v]);
    for (const part of [...arenas, this.#gradient, this.#sums, this.#keep, this.#adamw, this.#norm]) await part.free();
  }

  /** Squared norm of the gradient: chunk by chunk on the engine, then in double precision in order. */
  async #sumSquares(): Promise<number> {
    const batch = this.#chunks().map((start) => ({
      g: { buffer: this.#gradient, offset: start },
      sumSquares: { buffer: this.#sums, offset: start / CHUNK },
    }));
    await this.#norm.runEach(batch);
    let total = 0;
    for (const sum of await this.#sums.read()) total += sum;
    return total;
  }

  #bindings(start: number, { gradientScale, squareScale, rate, epsilon }: StepScalars): Bindings {
    const at = (buffer: DeviceBuffer) => ({ buffer, offset: start });
    return {
      p: at(this.#now.params),
      m: at(this.#now.m),
      v: at(this.#now.v),
      g: at(this.#gradient),
      keep: { buffer: this.#keep, offset: decayOffset(start, this.#layout.decayElements) },
      gradientScale: Float32Array.of(gradientScale),
      squareScale: Float32Array.of(squareScale),
      rate: Float32Array.of(rate),
      epsilon: Float32Array.of(epsilon),
      newP: at(this.#next.params),
      newM: at(this.#next.m),
      newV: at(this.#next.v),
    };
  }

  #chunks(): number[] {
    return Array.from({ length: this.#sums.elements }, (_, chunk) => chunk * CHUNK);
  }
}
