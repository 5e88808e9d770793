/** Programs taken apart: their nodes, and a program of a single node, which gives the bits that the node gives in the whole. */
import { assert, fromUtf8, sha256 } from '@folkmoot/core';
import { ONNX_TYPES, valuesOf } from './compile.ts';
import type { ElementType, Shape } from './graph.ts';
import type { DType, Program, TensorSpec } from './program.ts';
import { MessageWriter, readFields } from './protobuf.ts';

/** One node of a program: every operator of ours has one output. */
export interface OperatorNode {
  readonly type: string;
  /** Names of values, constants among them, in the operator's order. */
  readonly inputs: readonly string[];
  readonly output: string;
  /** The ONNX message. */
  readonly bytes: Uint8Array;
}

/** A program of one node. */
export interface SingleOperator {
  /** Inputs `in0`, `in1`, …; output `out`. Booleans cross the border as int32. */
  readonly program: Program;
  /** The values of the whole program that go in, in order. */
  readonly inputs: readonly string[];
}

export interface Parts {
  /** In the order of the file, in which they can be run. */
  readonly nodes: readonly OperatorNode[];
  /** The program of node `index`. */
  single(index: number): SingleOperator;
}

/** Takes apart a program that `compile` has made in this process. */
export function partsOf(program: Program): Parts {
  const fields = [...readFields(graphOf(program))];
  const nodes = fields.filter(({ number }) => number === 1).map(({ bytes }) => nodeOf(bytes));
  const constants = new Map(
    fields.filter(({ number }) => number === 5).map(({ bytes }) => [text(bytes, 8), bytes] as const),
  );
  return { nodes, single: (index) => singleOperator(program, nodes[index]!, constants) };
}

function singleOperator(
  program: Program,
  node: OperatorNode,
  constants: ReadonlyMap<string, Uint8Array>,
): SingleOperator {
  const types = valuesOf(program);
  const typeOf = (name: string) => types.get(name)!;
  const names = [...new Set(node.inputs)].filter((name) => name !== '' && !constants.has(name));
  const body = new MessageWriter();
  // Nodes that differ in names alone are one program, and so one session.
  const renamed = new Map(names.map((name, i) => [name, typeOf(name).dtype === 'bool' ? `bool${i}` : `in${i}`]));
  const own = [...new Set(node.inputs)].filter((name) => constants.has(name));
  for (const [i, name] of own.entries()) renamed.set(name, `constant${i}`);
  const result = typeOf(node.output);
  const isBool = result.dtype === 'bool';
  for (const [i, name] of names.entries())
    if (typeOf(name).dtype === 'bool') body.message(1, castNode(`in${i}`, `bool${i}`, 'bool'));
  body.bytes(
    1,
    withNames(node.bytes, (name) => renamed.get(name) ?? name, isBool ? 'raw' : 'out'),
  );
  if (isBool) body.message(1, castNode('raw', 'out', 'int32'));
  body.text(2, 'operator');
  for (const [i, name] of own.entries()) body.bytes(5, withConstantName(constants.get(name)!, `constant${i}`));
  const inputs = names.map((name, i) => specOf(`in${i}`, typeOf(name)));
  const output = specOf('out', result);
  for (const spec of inputs) body.message(11, specMessage(spec));
  body.message(12, specMessage(output));
  const bytes = modelLike(program, body);
  return { program: { id: sha256(bytes), bytes, inputs, outputs: [output] }, inputs: names };
}

function specOf(name: string, { dtype, shape }: { dtype: ElementType; shape: Shape }): TensorSpec {
  assert(dtype !== 'int64', 'int64 is for constants');
  return { name, dtype: dtype === 'bool' ? 'int32' : (dtype satisfies DType), shape };
}

function castNode(from: string, to: string, dtype: ElementType): MessageWriter {
  const attribute = new MessageWriter().text(1, 'to').integer(3, ONNX_TYPES[dtype]).integer(20, 2);
  return new MessageWriter().text(1, from).text(2, to).text(4, 'Cast').message(5, attribute);
}

function nodeOf(bytes: Uint8Array): OperatorNode {
  const fields = [...readFields(bytes)];
  const names = (number: number) => fields.filter((field) => field.number === number).map((f) => fromUtf8(f.bytes));
  const outputs = names(2);
  assert(outputs.length === 1, 'an operator has one output');
  return { type: text(bytes, 4), inputs: names(1), output: outputs[0]!, bytes };
}

function withNames(node: Uint8Array, rename: (name: string) => string, output: string): Uint8Array {
  const message = new MessageWriter();
  for (const { number, bytes } of readFields(node)) {
    if (number === 1) message.text(1, rename(fromUtf8(bytes)));
    else if (number === 2) message.text(2, output);
    else message.bytes(number, bytes);
  }
  return message.done();
}

function withConstantName(constant: Uint8Array, name: string): Uint8Array {
  const message = new MessageWriter();
  for (const { number, bytes, integer } of readFields(constant)) {
    if (number === 8) message.text(8, name);
    else if (bytes.length > 0 || number === 9) message.bytes(number, bytes);
    else message.integer(number, integer);
  }
  return message.done();
}

function specMessage({ name, dtype, shape }: TensorSpec): MessageWriter {
  const dimensions = new MessageWriter();
  for (const size of shape) dimensions.message(1, new MessageWriter().integer(1, size));
  const tensor = new MessageWriter().integer(1, ONNX_TYPES[dtype]).message(2, dimensions);
  return new MessageWriter().text(1, name).message(2, new MessageWriter().message(1, tensor));
}

function graphOf({ bytes }: Program): Uint8Array {
  return [...readFields(bytes)].find(({ number }) => number === 7)!.bytes;
}

/** The bytes of a model like `program` with another graph. */
function modelLike(program: Program, body: MessageWriter): Uint8Array {
  const model = new MessageWriter();
  for (const field of readFields(program.bytes)) {
    if (field.number === 7) model.message(7, body);
    else if (field.bytes.length > 0) model.bytes(field.number, field.bytes);
    else model.integer(field.number, field.integer);
  }
  return model.done();
}

function text(message: Uint8Array, number: number): string {
  return fromUtf8([...readFields(message)].find((field) => field.number === number)!.bytes);
}
