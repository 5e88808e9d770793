/** The optimizer's share of an inner step, one chunk or block after another. */
import {
  adamwProgram,
  chunkFor,
  clipScaleOf,
  decayElements,
  decayOffset,
  decayTableProgram,
  learningRateAt,
  type MuonScalars,
  momentSizes,
  muonElements,
  muonProgram,
  muonScalars,
  normProgram,
  type OptimizerRules,
  type ParameterLayout,
  paddedElements,
  powersAfter,
  type StepScalars,
  stepScalars,
} from '@folkmoot/model';
import type { Bindings, DeviceBuffer, Engine, Executable } from '@folkmoot/tensor';

/** Arenas in the engine's memory: N elements and some more; `v` begins with the first that has a second moment. */
export interface Arenas {
  readonly params: DeviceBuffer;
  readonly m: DeviceBuffer;
  readonly v: DeviceBuffer;
}

interface Parts {
  readonly adamw: Executable;
  readonly norm: Executable;
  readonly decayTable: Executable;
  /** Where the rules ask for it. */
  readonly muon?: Executable;
  readonly gradient: DeviceBuffer;
  readonly sums: DeviceBuffer;
  readonly keep: DeviceBuffer;
  readonly now: Arenas;
  readonly next: Arenas;
}

export class InnerOptimizer {
  readonly #rules: OptimizerRules;
  readonly #layout: ParameterLayout;
  readonly #parts: Parts;
  #now: Arenas;
  #next: Arenas;
  #kept = Number.NaN;

  static async create(engine: Engine, rules: OptimizerRules, layout: ParameterLayout): Promise<InnerOptimizer> {
    const muonSize = muonElements(rules, layout);
    const second = paddedElements(momentSizes(rules, layout).second);
    const padded = paddedElements(layout.elements);
    // AdamW's chunks begin behind Muon's blocks, so the last of them may end later than the last chunk of the norm.
    const arena = () => engine.allocate('float32', Math.max(padded, muonSize + second));
    const arenas = async () => ({
      params: await arena(),
      m: await arena(),
      v: await engine.allocate('float32', second),
    });
    const chunk = chunkFor(engine.memory, second);
    const normChunk = chunkFor(engine.memory, padded);
    const adamw = await engine.load(adamwProgram(rules, chunk));
    const now = await arenas();
    return new InnerOptimizer(rules, layout, {
      adamw,
      norm: await engine.load(normProgram(normChunk)),
      decayTable: await engine.load(decayTableProgram(chunk)),
      muon: rules.kind === 'muon' ? await engine.load(muonProgram(rules, layout)) : undefined,
      gradient: await arena(),
      sums: await engine.allocate('float32', padded / normChunk),
      keep: await engine.allocate('float32', 2 * chunk),
      now,
      next: adamw.inPlace && rules.kind === 'adamw' ? now : await arenas(),
    });
  }

  private constructor(rules: OptimizerRules, layout: ParameterLayout, parts: Parts) {
    this.#rules = rules;
    this.#layout = layout;
    this.#parts = parts;
    this.#now = parts.now;
    this.#next = parts.next;
  }

  /** Where the state is now; where the engine cannot write it in place, other buffers after each step. */
  get arenas(): Arenas {
    return this.#now;
  }

  /** Where the step's gradient is awaited, in the arena's layout. */
  get gradient(): DeviceBuffer {
    return this.#parts.gradient;
  }

  /**
   * One step from the gradient. `globalStep` and `deviceStep` as in `learningRateAt`.
   *
   * False, with the state as it was, where the gradient is not finite.
   */
  async step(globalStep: number, deviceStep: number): Promise<boolean> {
    const sumSquares = await this.#sumSquares();
    if (!Number.isFinite(sumSquares)) return false;
    const rate = {
      learningRate: learningRateAt(this.#rules, globalStep, deviceStep),
      clipScale: clipScaleOf(this.#rules, sumSquares),
    };
    const powers = powersAfter(this.#rules, deviceStep + 1);
    await this.#stepChunks(stepScalars(this.#rules, { ...rate, powers }));
    if (this.#rules.kind === 'muon') await this.#stepBlocks(muonScalars(this.#rules, rate));
    [this.#now, this.#next] = [this.#next, this.#now];
    return true;
  }

  async free(): Promise<void> {
    const arenas = [...new Set([this.#now, this.#next])].flatMap(({ params, m, v }) => [params, m, v]);
    const { gradient, sums, keep, adamw, norm, decayTable, muon } = this.#parts;
    for (const part of [...arenas, gradient, sums, keep, adamw, norm, decayTable]) await part.free();
    await muon?.free();
  }

  /** Squared norm of the gradient: chunk by chunk on the engine, then in double precision in order. */
  async #sumSquares(): Promise<number> {
    const { norm, gradient, sums } = this.#parts;
    const size = sizeOf(norm, 'g');
    const batch = Array.from({ length: sums.elements }, (_, chunk) => ({
      g: { buffer: gradient, offset: chunk * size },
      sumSquares: { buffer: sums, offset: chunk },
    }));
    await norm.runEach(batch);
    let total = 0;
    for (const sum of await sums.read()) total += sum;
    return total;
  }

  /** AdamW over everything behind Muon's part. */
  async #stepChunks(scalars: StepScalars): Promise<void> {
    const { adamw, keep, decayTable } = this.#parts;
    const table = { buffer: keep, offset: 0 };
    if (scalars.keep !== this.#kept) await decayTable.run({ keep: Float32Array.of(scalars.keep), table });
    this.#kept = scalars.keep;
    const first = muonElements(this.#rules, this.#layout);
    const { elements } = this.#now.v;
    const size = sizeOf(adamw, 'p');
    const offsets = Array.from({ length: elements / size }, (_, chunk) => chunk * size);
    await adamw.runEach(offsets.map((offset) => this.#chunk(first + offset, offset, scalars)));
  }

  /** The chunk whose parameters begin at `start` and whose second moments at `second`. */
  #chunk(start: number, second: number, { gradientScale, squareScale, rate, epsilon }: StepScalars): Bindings {
    const border = decayElements(this.#rules, this.#layout);
    return {
      ...this.#views(start),
      v: { buffer: this.#now.v, offset: second },
      keep: { buffer: this.#parts.keep, offset: decayOffset(start, border, sizeOf(this.#parts.adamw, 'p')) },
      ...asData({ gradientScale, squareScale, rate, epsilon }),
      newV: { buffer: this.#next.v, offset: second },
    };
  }

  async #stepBlocks(scalars: MuonScalars): Promise<void> {
    const { count, elements } = this.#layout.blocks;
    const data = asData(scalars);
    const starts = Array.from({ length: count }, (_, block) => block * elements);
    await this.#parts.muon!.runEach(starts.map((start) => ({ ...this.#views(start), ...data })));
  }

  #views(offset: number): Bindings {
    const at = (buffer: DeviceBuffer) => ({ buffer, offset });
    return {
      p: at(this.#now.params),
      m: at(this.#now.m),
      g: at(this.#parts.gradient),
      newP: at(this.#next.params),
      newM: at(this.#next.m),
    };
  }
}

/** Elements of one run. */
function sizeOf({ program }: Executable, input: string): number {
  return program.inputs.find(({ name }) => name === input)!.shape[0]!;
}

function asData(scalars: object): Bindings {
  return Object.fromEntries(Object.entries(scalars).map(([name, value]) => [name, Float32Array.of(value)]));
}
