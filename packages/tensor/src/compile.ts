/** From a graph to a program: an ONNX model of standard operators, the same bytes for the same graph. */
import { assert, bytesOf, sha256 } from '@folkmoot/core';
import type { Attribute, ConstantData, ElementType, Graph, GraphNode, Value } from './graph.ts';
import { neededNodes } from './needed.ts';
import type { DType, Program, TensorSpec } from './program.ts';
import { MessageWriter } from './protobuf.ts';

/** ONNX's numbers for element types. */
export const ONNX_TYPES: Readonly<Record<ElementType, number>> = { float32: 1, int32: 6, int64: 7, bool: 9 };

/** What is known of the values of programs that were made here: the files do not say the shapes between inputs and outputs. */
const VALUES = new WeakMap<Program, ReadonlyMap<string, Pick<Value, 'dtype' | 'shape'>>>();

/** Type and shape of every value in a program that `compile` has made in this process, by its name in the file. */
export function valuesOf(program: Program): ReadonlyMap<string, Pick<Value, 'dtype' | 'shape'>> {
  const values = VALUES.get(program);
  assert(values, 'this program was made here');
  return values;
}

/** Written into every program; ONNX Runtime 1.14 and later, and most other runtimes, read it. */
const IR_VERSION = 8;
const OPERATOR_SET = 18;

/**
 * Writes `graph` as ONNX. `name` is for people (`train`).
 *
 * Only what the outputs depend on is written, in the order in which it was built; inputs are all written. Nodes that
 * make an output write to its name directly: a copy is made only where one value has two names or is an input.
 */
export function compile(graph: Graph, name: string): Program {
  const nodes = neededNodes(graph);
  const names = nameValues(graph, nodes);
  const body = new MessageWriter();
  for (const node of nodes) body.message(1, nodeMessage(node, names));
  for (const [output, value] of graph.outputs) {
    const copied = names.get(value) !== output;
    if (copied) body.message(1, new MessageWriter().text(1, names.get(value)!).text(2, output).text(4, 'Identity'));
  }
  body.text(2, name);
  for (const [value, data] of graph.constants)
    if (names.has(value)) body.message(5, tensorMessage(names.get(value)!, value, data));
  const inputs = [...graph.inputs].map(([input, value]) => specOf(input, value));
  const outputs = [...graph.outputs].map(([output, value]) => specOf(output, value));
  for (const spec of inputs) body.message(11, specMessage(spec));
  for (const spec of outputs) body.message(12, specMessage(spec));

  const bytes = new MessageWriter()
    .integer(1, IR_VERSION)
    .text(2, 'folkmoot')
    .message(7, body)
    .message(8, new MessageWriter().text(1, '').integer(2, OPERATOR_SET))
    .done();
  const program = { id: sha256(bytes), bytes, inputs, outputs };
  const values = [...names].map(([{ dtype, shape }, value]) => [value, { dtype, shape }] as const);
  const copies = [...graph.outputs].map(([output, { dtype, shape }]) => [output, { dtype, shape }] as const);
  VALUES.set(program, new Map([...values, ...copies]));
  return program;
}

/** Inputs and outputs keep their names; inner values are numbered in order of use, so that edits far away do not matter. */
function nameValues(graph: Graph, nodes: readonly GraphNode[]): Map<Value, string> {
  const names = new Map<Value, string>();
  for (const [input, value] of graph.inputs) names.set(value, input);
  for (const [output, value] of graph.outputs)
    if (!names.has(value) && !graph.constants.has(value)) names.set(value, output);
  let count = 0;
  const number = (value: Value) => {
    if (!names.has(value)) names.set(value, `#${count++}`);
  };
  for (const { inputs, output } of nodes) [...inputs, output].forEach(number);
  for (const value of graph.outputs.values()) number(value);
  return names;
}

function nodeMessage({ type, inputs, output, attributes }: GraphNode, names: Map<Value, string>): MessageWriter {
  const message = new MessageWriter();
  for (const input of inputs) message.text(1, names.get(input)!);
  message.text(2, names.get(output)!).text(4, type);
  for (const [name, value] of Object.entries(attributes)) message.message(5, attributeMessage(name, value));
  return message;
}

function attributeMessage(name: string, value: Attribute): MessageWriter {
  const message = new MessageWriter().text(1, name);
  if (typeof value === 'number') return message.integer(3, value).integer(20, 2);
  if (typeof value === 'string') return message.text(4, value).integer(20, 3);
  if ('float' in value) return message.float(2, value.float).integer(20, 1);
  for (const item of value) message.integer(8, item);
  return message.integer(20, 7);
}

function tensorMessage(name: string, { shape, dtype }: Value, data: ConstantData): MessageWriter {
  const message = new MessageWriter();
  for (const size of shape) message.integer(1, size);
  return message.integer(2, ONNX_TYPES[dtype]).text(8, name).bytes(9, bytesOf(data));
}

function specOf(name: string, { shape, dtype }: Value): TensorSpec {
  assert(dtype === 'float32' || dtype === 'int32', `${name} has type ${dtype}`);
  return { name, dtype: dtype satisfies DType, shape };
}

function specMessage({ name, dtype, shape }: TensorSpec): MessageWriter {
  const dimensions = new MessageWriter();
  for (const size of shape) dimensions.message(1, new MessageWriter().integer(1, size));
  const tensor = new MessageWriter().integer(1, ONNX_TYPES[dtype]).message(2, dimensions);
  return new MessageWriter().text(1, name).message(2, new MessageWriter().message(1, tensor));
}
