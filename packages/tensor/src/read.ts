/** Programs of strangers: what an ONNX file wants and gives, without running it. */
import { fromUtf8, sha256, WorldError } from '@folkmoot/core';
import { ONNX_TYPES } from './compile.ts';
import type { DType, Program, TensorSpec } from './program.ts';
import { readFields } from './protobuf.ts';

/** Largest program that is read: 64 MiB. */
export const MAX_PROGRAM_BYTES = 64 * 1024 * 1024;

const MAX_TENSORS = 100_000;
const MAX_NODES = 1_000_000;
const MAX_RANK = 8;
const MAX_ELEMENTS = 2 ** 31;
const MAX_NAME = 256;

/** What `folkmoot program show` tells about a program. */
export interface ProgramSummary {
  readonly program: Program;
  /** The name that its author gave it. */
  readonly name: string;
  readonly producer: string;
  /** How often each operator is used, most used first. */
  readonly operators: ReadonlyMap<string, number>;
  readonly nodes: number;
  /** Bytes of the constants inside. */
  readonly constantBytes: number;
}

/**
 * The inputs and outputs of an ONNX model.
 *
 * Throws `program-invalid` unless all of them are float32 or int32 with static shapes, and all nodes are standard
 * operators without inner graphs (no loops, no custom code) and without references to other files.
 */
export function readProgram(bytes: Uint8Array): Program {
  return summarizeProgram(bytes).program;
}

/** As `readProgram`, with what is inside. */
export function summarizeProgram(bytes: Uint8Array): ProgramSummary {
  try {
    return readModel(bytes);
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    throw new WorldError('program-invalid', `These bytes are not a program: ${error.message}.`, {
      facts: { sizeBytes: bytes.length },
      help: 'Programs are ONNX files of standard operators with static shapes, such as those that a run in this home keeps.',
      cause: error,
    });
  }
}

function readModel(bytes: Uint8Array): ProgramSummary {
  if (bytes.length > MAX_PROGRAM_BYTES) throw new RangeError(`more than ${MAX_PROGRAM_BYTES} bytes`);
  let graph: Uint8Array | undefined;
  let producer = '';
  for (const field of readFields(bytes)) {
    if (field.number === 2) producer = name(field.bytes);
    if (field.number === 25) throw new RangeError('it defines functions');
    if (field.number !== 7) continue;
    if (graph) throw new RangeError('two graphs');
    graph = field.bytes;
  }
  if (!graph) throw new RangeError('no graph');
  return readGraph(bytes, graph, producer);
}

function readGraph(bytes: Uint8Array, graph: Uint8Array, producer: string): ProgramSummary {
  const [inputs, outputs]: [TensorSpec[], TensorSpec[]] = [[], []];
  const operators = new Map<string, number>();
  let [title, nodes, constantBytes] = ['', 0, 0];
  for (const { number, bytes: part } of readFields(graph)) {
    if (number === 1) {
      const type = readNode(part);
      operators.set(type, (operators.get(type) ?? 0) + 1);
      if (++nodes > MAX_NODES) throw new RangeError('too many nodes');
    } else if (number === 2) title = name(part);
    else if (number === 5) constantBytes += readConstant(part);
    else if (number === 11) inputs.push(readSpec(part));
    else if (number === 12) outputs.push(readSpec(part));
    else if (number === 15) throw new RangeError('it has sparse constants');
    if (inputs.length + outputs.length > MAX_TENSORS) throw new RangeError('too many inputs and outputs');
  }
  for (const list of [inputs, outputs])
    if (new Set(list.map((spec) => spec.name)).size !== list.length) throw new RangeError('a name is used twice');
  if (outputs.length === 0) throw new RangeError('no output');
  const sorted = new Map([...operators].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));
  return {
    program: { id: sha256(bytes), bytes, inputs, outputs },
    name: title,
    producer,
    operators: sorted,
    nodes,
    constantBytes,
  };
}

function readNode(bytes: Uint8Array): string {
  let type = '';
  for (const field of readFields(bytes)) {
    if (field.number === 4) type = name(field.bytes);
    if (field.number === 7 && field.bytes.length > 0) throw new RangeError('an operator is not a standard one');
    if (field.number === 5) checkAttribute(field.bytes);
  }
  if (!/^[A-Z][A-Za-z0-9]{0,63}$/.test(type)) throw new RangeError('a node has no operator');
  return type;
}

function checkAttribute(bytes: Uint8Array): void {
  for (const { number, bytes: part } of readFields(bytes)) {
    if (number === 6 || number === 11) throw new RangeError('a node has an inner graph');
    if (number === 5 || number === 10) readConstant(part);
    if (number === 22 || number === 23) throw new RangeError('a node has sparse constants');
  }
}

/** Bytes of a constant that is inside the file. */
function readConstant(bytes: Uint8Array): number {
  for (const { number, integer } of readFields(bytes))
    if (number === 13 || (number === 14 && integer !== 0n)) throw new RangeError('a constant is in another file');
  return bytes.length;
}

function readSpec(bytes: Uint8Array): TensorSpec {
  let [label, type] = ['', -1];
  const shape: number[] = [];
  for (const field of readFields(bytes)) {
    if (field.number === 1) label = name(field.bytes);
    if (field.number !== 2) continue;
    for (const kind of readFields(field.bytes)) {
      if (kind.number !== 1) throw new RangeError('an input or output is not a tensor');
      for (const part of readFields(kind.bytes)) {
        if (part.number === 1) type = Number(part.integer);
        if (part.number === 2) readShape(part.bytes, shape);
      }
    }
  }
  const dtype = (['float32', 'int32'] as DType[]).find((known) => ONNX_TYPES[known] === type);
  if (!label || !dtype) throw new RangeError('an input or output has no name, or is neither float32 nor int32');
  if (shape.reduce((product, size) => product * size, 1) > MAX_ELEMENTS) throw new RangeError('a tensor is too large');
  return { name: label, dtype, shape };
}

/** Adds to `shape`, which several messages may say in parts. */
function readShape(bytes: Uint8Array, shape: number[]): void {
  for (const dimension of readFields(bytes)) {
    if (dimension.number !== 1) continue;
    shape.push(readSize(dimension.bytes));
    if (shape.length > MAX_RANK) throw new RangeError('a shape has too many axes');
  }
}

function readSize(bytes: Uint8Array): number {
  let size = 0;
  for (const { number, integer } of readFields(bytes)) {
    if (number === 1 && size > 0) throw new RangeError('a size is said twice');
    if (number === 1) size = Number(integer);
  }
  if (size < 1 || size > MAX_ELEMENTS) throw new RangeError('a shape is not static');
  return size;
}

function name(bytes: Uint8Array): string {
  if (bytes.length > MAX_NAME) throw new RangeError(`a name is longer than ${MAX_NAME} bytes`);
  return fromUtf8(bytes);
}
