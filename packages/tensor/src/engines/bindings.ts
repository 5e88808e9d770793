/** Checks what a caller binds to a program's inputs and outputs, before anything reaches the engine's thread. */
import type { Binding, Bindings, Executable, TensorData, View } from '../engine.ts';
import type { Program, TensorSpec } from '../program.ts';
import type { WireRun, WireView } from './worker-protocol.ts';

/** Elements in a tensor of `shape`; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((size, dimension) => size * dimension, 1);
}

export function dataType(data: TensorData): 'float32' | 'int32' {
  return data instanceof Float32Array ? 'float32' : 'int32';
}

/** A view's place in its buffer, with the name it was bound to. */
interface Span extends WireView {
  readonly name: string;
  readonly end: number;
}

/**
 * Orders `bindings` as `executable`'s program lists its inputs and outputs. Data is copied, so that it can be moved to another thread.
 *
 * `numberOf` gives the number of a live buffer of this engine and throws for any other. Throws `RangeError` on an
 * unknown name, an unbound input, a wrong type or size, a view beyond its buffer, or an output that overlaps an input
 * (other than exactly, where `inPlace` holds) or another output: engines write outputs while they still read inputs.
 */
export function orderBindings(
  { program, inPlace }: Pick<Executable, 'program' | 'inPlace'>,
  bindings: Bindings,
  numberOf: (buffer: View['buffer']) => number,
): WireRun {
  checkNames(program, bindings);
  const inputSpans: Span[] = [];
  const outputSpans: Span[] = [];
  const inputs = program.inputs.map((spec) => {
    const binding = bindings[spec.name];
    if (binding === undefined) throw new RangeError(`input ${spec.name} is not bound`);
    if (!isView(binding)) return checkedCopy(spec, binding);
    const span = spanOf(spec, binding, numberOf);
    inputSpans.push(span);
    return { buffer: span.buffer, offset: span.offset };
  });
  const outputs = program.outputs.map((spec) => {
    const binding = bindings[spec.name];
    if (binding === undefined) return null;
    if (!isView(binding)) throw new RangeError(`output ${spec.name} must be bound to a view, not to data`);
    const span = spanOf(spec, binding, numberOf);
    for (const other of inputSpans) if (!inPlace || !isSame(span, other)) checkApart(span, other);
    for (const other of outputSpans) checkApart(span, other);
    outputSpans.push(span);
    return { buffer: span.buffer, offset: span.offset };
  });
  return { inputs, outputs };
}

export function isView(binding: Binding): binding is View {
  return !ArrayBuffer.isView(binding);
}

function checkNames(program: Program, bindings: Bindings): void {
  const known = new Set([...program.inputs, ...program.outputs].map((spec) => spec.name));
  const stranger = Object.keys(bindings).find((name) => !known.has(name));
  if (stranger !== undefined) throw new RangeError(`the program has no input or output named ${stranger}`);
}

function checkedCopy(spec: TensorSpec, data: TensorData): TensorData {
  const elements = elementCount(spec.shape);
  if (dataType(data) !== spec.dtype) throw new RangeError(`${spec.name} is ${spec.dtype}, not ${dataType(data)}`);
  if (data.length !== elements)
    throw new RangeError(`${spec.name} [${spec.shape}] has ${elements} elements, not ${data.length}`);
  return data.slice();
}

function spanOf(spec: TensorSpec, { buffer, offset }: View, numberOf: (buffer: View['buffer']) => number): Span {
  const elements = elementCount(spec.shape);
  if (buffer.dtype !== spec.dtype) throw new RangeError(`${spec.name} is ${spec.dtype}, its buffer ${buffer.dtype}`);
  if (!Number.isInteger(offset) || offset < 0 || offset + elements > buffer.elements)
    throw new RangeError(
      `${spec.name} [${spec.shape}] at ${offset} does not fit in a buffer of ${buffer.elements} elements`,
    );
  return { name: spec.name, buffer: numberOf(buffer), offset, end: offset + elements };
}

function isSame(a: Span, b: Span): boolean {
  return a.buffer === b.buffer && a.offset === b.offset && a.end === b.end;
}

function checkApart(a: Span, b: Span): void {
  if (a.buffer === b.buffer && a.offset < b.end && b.offset < a.end)
    throw new RangeError(`output ${a.name} at [${a.offset}, ${a.end}) overlaps ${b.name} at [${b.offset}, ${b.end})`);
}
