/** Graphs of tensor operations with static shapes: what a model is written in, before it becomes a program. */
import { assert, bytesOf, sha256 } from '@folkmoot/core';
import type { DType } from './program.ts';

/** What flows inside a graph; `int64` and `bool` never cross a program's border. */
export type ElementType = DType | 'int64' | 'bool';
export type Shape = readonly number[];

/** The result of one operation (or an input, or a constant), row-major. */
export interface Value {
  readonly graph: Graph;
  readonly shape: Shape;
  readonly dtype: ElementType;
  /** For people who read errors: `input tokens`, `Gemm`. */
  readonly label: string;
}

export type ConstantData = Float32Array | Int32Array | BigInt64Array;

/** An ONNX attribute; a float is wrapped, since JavaScript cannot tell 1 from 1.0. */
export type Attribute = number | string | readonly number[] | { readonly float: number };

/** One ONNX node. */
export interface GraphNode {
  readonly type: string;
  readonly inputs: readonly Value[];
  readonly output: Value;
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/**
 * What an operator owes to one of its inputs: a gradient, nothing, or a function that adds it to what others owed
 * before (cheaper than a separate sum where the operator can start from a given value).
 */
export type Contribution = Value | undefined | ((soFar: Value | undefined) => Value);

/** One differentiable step, for walking backwards. */
export interface TapeStep {
  readonly label: string;
  readonly inputs: readonly Value[];
  readonly output: Value;
  readonly derivative?: (d: Value) => readonly Contribution[];
}

/** A border between two blocks of a forward pass: all that the second needs of the first is `value`. */
export interface Checkpoint {
  readonly value: Value;
  /** Nodes built before the second block. */
  readonly nodes: number;
}

/** A mistake in the use of an operator: our bug, with the shapes that tell where. */
export class ShapeError extends Error {
  constructor(label: string, problem: string, inputs: readonly Value[] = []) {
    const shapes = inputs.map((value) => `${value.label} ${value.dtype}[${value.shape.join(', ')}]`).join(', ');
    super(`${label}: ${problem}${shapes && ` (given ${shapes})`}`);
    this.name = 'ShapeError';
  }
}

/** Collects inputs, constants, nodes and outputs in the order in which they are made. */
export class Graph {
  readonly inputs = new Map<string, Value>();
  readonly constants = new Map<Value, ConstantData>();
  readonly nodes: GraphNode[] = [];
  readonly outputs = new Map<string, Value>();
  readonly tape: TapeStep[] = [];
  readonly checkpoints: Checkpoint[] = [];
  readonly #interned = new Map<string, Value>();
  #recording = true;

  input(name: string, dtype: DType, shape: Shape): Value {
    assert(!this.inputs.has(name), `two inputs are called ${name}`);
    const value = this.#value(dtype, shape, `input ${name}`);
    this.inputs.set(name, value);
    return value;
  }

  /** A tensor whose bytes travel in the program. Equal constants are one constant. */
  constant(data: ConstantData, shape: Shape): Value {
    if (data.length !== elementsOf(shape))
      throw new ShapeError('constant', `${data.length} elements do not fill [${shape.join(', ')}]`);
    const dtype = data instanceof Float32Array ? 'float32' : data instanceof Int32Array ? 'int32' : 'int64';
    const key = `${dtype}[${shape}]${sha256(bytesOf(data))}`;
    const known = this.#interned.get(key);
    if (known) return known;
    const value = this.#value(dtype, shape, 'constant');
    this.constants.set(value, data);
    this.#interned.set(key, value);
    return value;
  }

  /** A float32 constant of shape []. */
  scalar(number: number): Value {
    return this.constant(Float32Array.of(number), []);
  }

  /** A list of integers as ONNX wants shapes, axes and positions. */
  integers(list: readonly number[]): Value {
    return this.constant(BigInt64Array.from(list, BigInt), [list.length]);
  }

  node(
    type: string,
    inputs: readonly Value[],
    attributes: GraphNode['attributes'],
    dtype: ElementType,
    shape: Shape,
  ): Value {
    assert(
      inputs.every((input) => input.graph === this),
      `${type} mixes values of two graphs`,
    );
    const output = this.#value(dtype, shape, type);
    this.nodes.push({ type, inputs, output, attributes });
    return output;
  }

  /** Names `value` as a result of the program. */
  output(name: string, value: Value): void {
    assert(!this.outputs.has(name) && !this.inputs.has(name), `the name ${name} is taken`);
    assert(value.dtype === 'float32' || value.dtype === 'int32', `output ${name} has type ${value.dtype}`);
    this.outputs.set(name, value);
  }

  /** Ends a block with `value` and begins another; for `withMemoryPlan`, without any effect on this graph. */
  checkpoint(value: Value): void {
    this.checkpoints.push({ value, nodes: this.nodes.length });
  }

  record(step: TapeStep): void {
    if (this.#recording) this.tape.push(step);
  }

  /** Runs `build` without recording: inside a composite, and while walking backwards. */
  unrecorded<T>(build: () => T): T {
    const before = this.#recording;
    this.#recording = false;
    try {
      return build();
    } finally {
      this.#recording = before;
    }
  }

  #value(dtype: ElementType, shape: Shape, label: string): Value {
    const least = dtype === 'int64' ? 0 : 1; // The shape [] is itself a list of no integers.
    if (!shape.every((size) => Number.isInteger(size) && size >= least))
      throw new ShapeError(label, `[${shape.join(', ')}] is not a shape`);
    return { graph: this, shape, dtype, label };
  }
}

export function elementsOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}
