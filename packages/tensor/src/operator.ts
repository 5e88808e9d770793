/** How a row of the operator table becomes a function that extends a graph. */
import {
  type Attribute,
  type Contribution,
  type ElementType,
  type Graph,
  type Shape,
  ShapeError,
  type Value,
} from './graph.ts';

/** A constant that ONNX wants as an input: a float32 or (as bigint) int64 of shape [], or a list of int64. */
export type Operand = number | bigint | readonly number[];

/** One operator: one node of ONNX. */
export interface Row<Inputs extends readonly Value[], Options> {
  /** Name in ONNX. */
  readonly onnx: string;
  /** Shape of the result. Throws `ShapeError` where the inputs do not fit. */
  readonly shape: (inputs: Inputs, options: Options) => Shape;
  /** Default: that of the first input. */
  readonly dtype?: (options: Options) => ElementType;
  readonly attributes?: (options: Options) => Readonly<Record<string, Attribute>>;
  /** Constant inputs after the others. */
  readonly operands?: (options: Options) => readonly Operand[];
  /**
   * What the operator owes to each input when `d` is owed to its output. An input that was broadcast may be owed the
   * broadcast shape: `gradients` sums. Absent: not differentiable.
   */
  readonly derivative?: (d: Value, inputs: Inputs, options: Options, output: Value) => readonly Contribution[];
}

/** Inputs, then options where there are any. */
export type Operator<Inputs extends readonly Value[], Options = undefined> = (
  ...call: Options extends undefined ? Inputs : [...Inputs, Options]
) => Value;

/** The function that applies `row`. */
export function operator<Inputs extends readonly Value[], Options = undefined>(
  row: Row<Inputs, Options>,
): Operator<Inputs, Options> {
  return (...call) => {
    const [inputs, options] = split<Inputs, Options>(call);
    const { graph, dtype } = inputs[0]!;
    const operands = (row.operands?.(options) ?? []).map((operand) => constantOf(graph, operand));
    const output = graph.node(
      row.onnx,
      [...inputs, ...operands],
      row.attributes?.(options) ?? {},
      row.dtype?.(options) ?? dtype,
      row.shape(inputs, options),
    );
    const derivative = row.derivative && ((d: Value) => row.derivative!(d, inputs, options, output));
    graph.record({ label: row.onnx, inputs, output, derivative });
    return output;
  };
}

/** What a composite's forward part returns: its result, and the derivative, which may use all that it computed. */
export interface Composite {
  readonly output: Value;
  readonly derivative: (d: Value) => readonly Contribution[];
}

/** An operator made of several rows, with one derivative of its own instead of theirs. */
export function composite<Inputs extends readonly Value[], Options = undefined>(
  label: string,
  forward: (inputs: Inputs, options: Options) => Composite,
): Operator<Inputs, Options> {
  return (...call) => {
    const [inputs, options] = split<Inputs, Options>(call);
    const { graph } = inputs[0]!;
    const { output, derivative } = graph.unrecorded(() => forward(inputs, options));
    graph.record({ label, inputs, output, derivative });
    return output;
  };
}

/** Throws `ShapeError` unless `holds`. */
export function expects(holds: boolean, label: string, problem: string, inputs: readonly Value[]): asserts holds {
  if (!holds) throw new ShapeError(label, problem, inputs);
}

function constantOf(graph: Graph, operand: Operand): Value {
  if (typeof operand === 'number') return graph.scalar(operand);
  if (typeof operand === 'bigint') return graph.constant(BigInt64Array.of(operand), []);
  return graph.integers(operand);
}

function split<Inputs extends readonly Value[], Options>(call: readonly unknown[]): [Inputs, Options] {
  const isValue = (item: unknown): item is Value => typeof item === 'object' && item !== null && 'graph' in item;
  const inputs = call.filter(isValue) as unknown as Inputs;
  return [inputs, call.slice(inputs.length)[0] as Options];
}
