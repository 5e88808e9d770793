/**
 * An inner step, operator by operator: what disputes search through and judges run.
 *
 * The operators of a step are, for each micro-batch, the nodes of the train program in the order of the file and then the
 * gradient that they make (their parts put into one arena, added to the micro-batches before); and last the optimizer, which
 * makes the next state of the state and the gradient. The optimizer counts as one operator.
 */
import { assert, bytesOf, type Hash, sha256 } from '@folkmoot/core';
import {
  gradientName,
  type MomentSizes,
  meanFactor,
  momentSizes,
  type OptimizerRules,
  type ParameterLayout,
} from '@folkmoot/model';
import { listBytes } from '@folkmoot/records';
import { type Engine, elementsOf, type Parts, type Program, partsOf, type TensorData } from '@folkmoot/tensor';
import { hasNonFinite, InnerOptimizer, packBfloat16, type Segment, writeMoments } from '@folkmoot/training';
import type { StepState } from './distance.ts';

type RowBatch = Segment['batches'][number];

export interface StepOptions {
  /** `exact`: what comes out must be the same for everybody. */
  readonly engine: Engine;
  readonly train: Program;
  readonly layout: ParameterLayout;
  readonly optimizer: OptimizerRules;
  readonly microBatches: number;
}

/** Which step: its rows, its place in the schedule, and whether moments are rounded behind it. */
export interface StepPlace {
  readonly batch: RowBatch;
  readonly globalStep: number;
  readonly deviceStep: number;
  readonly isLast: boolean;
}

/** Bytes of the parts of a result: one for a tensor; a state's arenas for the optimizer. */
export type Result = readonly Uint8Array[];

type Operator =
  | { readonly kind: 'node'; readonly micro: number; readonly index: number }
  | { readonly kind: 'gradient'; readonly micro: number }
  | { readonly kind: 'optimizer' };

/** Sessions that are kept: as many different operators as a decoder has, and some. */
const SESSIONS = 256;

export class StepOperators {
  readonly #options: StepOptions;
  readonly #parts: Parts;
  readonly #sizes: MomentSizes;
  readonly #operators: readonly Operator[];
  /** Numbers of the operators whose results each operator takes. */
  readonly #needs: readonly (readonly number[])[];
  readonly #sessions = new Map<Hash, ReturnType<Engine['load']>>();
  #optimizer: Promise<InnerOptimizer> | undefined;

  constructor(options: StepOptions) {
    this.#options = options;
    this.#parts = partsOf(options.train);
    this.#sizes = momentSizes(options.optimizer, options.layout);
    const micros = Array.from({ length: options.microBatches }, (_, micro) => micro);
    const nodes = this.#parts.nodes;
    this.#operators = [
      ...micros.flatMap((micro): Operator[] => [
        ...nodes.map((_, index) => ({ kind: 'node', micro, index }) as const),
        { kind: 'gradient', micro },
      ]),
      { kind: 'optimizer' },
    ];
    this.#needs = this.#operators.map((operator) => this.#needsOf(operator));
  }

  /** Operators of a step. */
  get count(): number {
    return this.#operators.length;
  }

  /** For people: `Gemm`, `gradient`, `optimizer`. */
  nameOf(operator: number): string {
    const found = this.#operators[operator]!;
    return found.kind === 'node' ? this.#parts.nodes[found.index]!.type : found.kind;
  }

  /** Numbers of the operators whose results operator `operator` takes, ascending. */
  needsOf(operator: number): readonly number[] {
    return this.#needs[operator]!;
  }

  /** Bytes that the result of an operator has at most. */
  maxBytesOf(operator: number): number {
    const found = this.#operators[operator]!;
    if (found.kind === 'node') return 4 * elementsOf(this.#single(found.index).program.outputs[0]!.shape);
    return 4 * this.#options.layout.elements;
  }

  /**
   * Runs all operators from `before` and gives the leaf of each. `see` is given each result; it may put another in its place.
   *
   * Results that nothing needs any more are let go, so that memory is about that of a step.
   */
  async run(
    before: StepState,
    place: StepPlace,
    signal: AbortSignal,
    see: (operator: number, result: Result) => Promise<Result | undefined> | undefined = () => undefined,
  ): Promise<Hash[]> {
    const last = new Map<number, number>();
    for (const [operator, needs] of this.#needs.entries()) for (const need of needs) last.set(need, operator);
    const results = new Map<number, Result>();
    const leaves: Hash[] = [];
    for (let operator = 0; operator < this.count; operator++) {
      signal.throwIfAborted();
      const made = await this.compute(operator, before, place, (need) => results.get(need)!);
      const result = (await see(operator, made)) ?? made;
      leaves.push(leafOf(result));
      results.set(operator, result);
      for (const need of this.#needs[operator]!) if (last.get(need) === operator) results.delete(need);
      if (!last.has(operator)) results.delete(operator);
    }
    return leaves;
  }

  /** The result of one operator from those that it needs. */
  async compute(
    operator: number,
    before: StepState,
    place: StepPlace,
    resultOf: (operator: number) => Result,
  ): Promise<Result> {
    const found = this.#operators[operator]!;
    switch (found.kind) {
      case 'node':
        return [await this.#node(found, before, place, resultOf)];
      case 'gradient':
        return [this.#gradient(operator, found.micro, resultOf)];
      default:
        return this.#step(before, place, float32(resultOf(operator - 1)[0]!));
    }
  }

  async free(): Promise<void> {
    for (const session of this.#sessions.values()) await (await session).free();
    this.#sessions.clear();
    await (await this.#optimizer)?.free();
  }

  #needsOf(operator: Operator): number[] {
    const { nodes } = this.#parts;
    const perMicro = nodes.length + 1;
    if (operator.kind === 'optimizer') return [this.#options.microBatches * perMicro - 1];
    const numbers = new Map(nodes.map(({ output }, index) => [output, operator.micro * perMicro + index]));
    if (operator.kind === 'node')
      return ascending(nodes[operator.index]!.inputs.flatMap((name) => numbers.get(name) ?? []));
    const parts = this.#options.layout.tensors.map(({ name }) => numbers.get(gradientName(name))!);
    return ascending(operator.micro === 0 ? parts : [operator.micro * perMicro - 1, ...parts]);
  }

  async #node(
    { micro, index }: Extract<Operator, { kind: 'node' }>,
    { params }: StepState,
    { batch }: StepPlace,
    resultOf: (operator: number) => Result,
  ): Promise<Uint8Array> {
    const { program, inputs } = this.#single(index);
    const first = micro * (this.#parts.nodes.length + 1);
    const bindings: Record<string, TensorData> = {};
    for (const [i, name] of inputs.entries()) {
      const spec = program.inputs[i]!;
      const maker = this.#parts.nodes.findIndex(({ output }) => output === name);
      const data = maker >= 0 ? resultOf(first + maker)[0]! : this.#given(name, params, batch, micro);
      assert(data.length === 4 * elementsOf(spec.shape), `${name} has the size of its shape`);
      bindings[spec.name] = spec.dtype === 'float32' ? float32(data) : int32(data);
    }
    const executable = await this.#session(program);
    return bytesOf((await executable.run(bindings)).out!);
  }

  /** An input of the whole program. */
  #given(name: string, params: Float32Array, batch: RowBatch, micro: number): Uint8Array {
    if (name === 'tokens' || name === 'targets') {
      const size = batch[name].length / this.#options.microBatches;
      return bytesOf(batch[name].slice(micro * size, (micro + 1) * size));
    }
    const { offset, elements } = this.#options.layout.tensors.find((tensor) => tensor.name === name)!;
    return bytesOf(params.slice(offset, offset + elements));
  }

  /** As `BatchGradient` adds it: (sum + g) · factor, each operation rounded to float32. */
  #gradient(operator: number, micro: number, resultOf: (operator: number) => Result): Uint8Array {
    const { layout, microBatches } = this.#options;
    const first = micro * (this.#parts.nodes.length + 1);
    const arena = new Float32Array(layout.elements);
    for (const { name, offset } of layout.tensors) {
      const maker = this.#parts.nodes.findIndex(({ output }) => output === gradientName(name));
      arena.set(float32(resultOf(first + maker)[0]!), offset);
    }
    if (micro === 0) return bytesOf(arena);
    assert(this.#needs[operator]![0] === first - 1, 'a sum goes on from the one before');
    const sum = float32(resultOf(first - 1)[0]!);
    const factor = meanFactor(micro, microBatches);
    for (let i = 0; i < arena.length; i++) arena[i] = Math.fround(Math.fround(sum[i]! + arena[i]!) * factor);
    return bytesOf(arena);
  }

  async #step({ params, moments }: StepState, place: StepPlace, gradient: Float32Array): Promise<Result> {
    const { engine, optimizer: rules, layout } = this.#options;
    this.#optimizer ??= InnerOptimizer.create(engine, rules, layout);
    const optimizer = await this.#optimizer;
    const { arenas } = optimizer;
    await optimizer.gradient.write(gradient);
    await arenas.params.write(params);
    await arenas.m.write(moments.m);
    await arenas.v.write(moments.v);
    // What is not finite has no next state; nobody honest has claimed one.
    if (!(await optimizer.step(place.globalStep, place.deviceStep))) return [];
    const after = optimizer.arenas;
    const next = (await after.params.read(0, layout.elements)) as Float32Array;
    const m = (await after.m.read(0, this.#sizes.first)) as Float32Array;
    const v = (await after.v.read(0, this.#sizes.second)) as Float32Array;
    if (hasNonFinite(next)) return [];
    return stateParts({ params: next, moments: { m, v } }, place.isLast);
  }

  #single(index: number) {
    return SINGLES.get(this.#parts)?.[index] ?? this.#keepSingle(index);
  }

  #keepSingle(index: number) {
    const kept = SINGLES.get(this.#parts) ?? [];
    SINGLES.set(this.#parts, kept);
    kept[index] = this.#parts.single(index);
    return kept[index]!;
  }

  async #session(program: Program) {
    const known = this.#sessions.get(program.id);
    if (known) return known;
    for (const [id, session] of [...this.#sessions].slice(0, 1 + this.#sessions.size - SESSIONS)) {
      this.#sessions.delete(id);
      await (await session).free();
    }
    const made = this.#options.engine.load(program);
    this.#sessions.set(program.id, made);
    return made;
  }
}

const SINGLES = new WeakMap<Parts, ReturnType<Parts['single']>[]>();

/** Parameters and moments as artifacts: float32 within a segment, rounded moments as one artifact behind it. */
export function stateParts({ params, moments: { m, v } }: StepState, isLast: boolean): Result {
  if (!isLast) return [bytesOf(params), bytesOf(m), bytesOf(v)];
  return [bytesOf(params), writeMoments({ m: packBfloat16(m), v: packBfloat16(v) })];
}

/** The leaf of a result: the artifact of a tensor, or the list of a state's parts. */
export function leafOf(result: Result): Hash {
  return result.length === 1 ? sha256(result[0]!) : sha256(listBytes(result.map((part) => sha256(part))));
}

function ascending(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

function float32(bytes: Uint8Array): Float32Array {
  return new Float32Array(aligned(bytes).buffer);
}

function int32(bytes: Uint8Array): Int32Array {
  return new Int32Array(aligned(bytes).buffer);
}

/** In a buffer of its own. */
function aligned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes);
}
