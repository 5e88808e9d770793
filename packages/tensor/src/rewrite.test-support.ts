/** Programs taken apart, for tests that ask what one wrong operator would do. */
import { fromUtf8, sha256 } from '@folkmoot/core';
import { ONNX_TYPES } from './compile.ts';
import type { Program } from './program.ts';
import { type Field, MessageWriter, readFields } from './protobuf.ts';

/** One node of a program. */
export interface ProgramNode {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** The ONNX message. */
  readonly bytes: Uint8Array;
}

/** A float32 result of a node: a place where an operator can be wrong. */
export interface Site {
  readonly node: ProgramNode;
  /** The value's name. */
  readonly name: string;
}

export interface ProgramParts {
  readonly nodes: readonly ProgramNode[];
  readonly sites: readonly Site[];
  /** ONNX's number for the element type of every value. */
  readonly types: ReadonlyMap<string, number>;
  /** Constants by name: the ONNX message. */
  readonly constants: ReadonlyMap<string, Uint8Array>;
}

const FLOAT = ONNX_TYPES.float32;
const BOOL = ONNX_TYPES.bool;

export function takeApart(program: Program): ProgramParts {
  const fields = [...readFields(graphOf(program))];
  const nodes = fields.filter(({ number }) => number === 1).map(({ bytes }) => nodeOf(bytes));
  const constants = new Map(
    fields.filter(({ number }) => number === 5).map(({ bytes }) => [text(bytes, 8), bytes] as const),
  );
  const types = new Map<string, number>();
  for (const [name, bytes] of constants) types.set(name, integer(bytes, 2)!);
  for (const { name, dtype } of program.inputs) types.set(name, ONNX_TYPES[dtype]);
  for (const node of nodes) for (const output of node.outputs) types.set(output, typeOf(node, types));
  const sites = nodes.flatMap((node) =>
    node.outputs.filter((name) => types.get(name) === FLOAT).map((name) => ({ node, name })),
  );
  return { nodes, sites, types, constants };
}

/** The name of the factor of a site. */
export function factorName({ name }: Site): string {
  return `factor of ${name}`;
}

/** `program` with a factor for each site, one more input of shape []: the result of its node is multiplied by it. */
export function withFactors(program: Program): Program {
  const { sites, nodes } = takeApart(program);
  const body = new MessageWriter();
  const sited = new Map(sites.map((site) => [site.name, site]));
  for (const node of nodes) {
    const wrong = node.outputs.filter((name) => sited.has(name));
    body.bytes(
      1,
      renameOutputs(node.bytes, (name) => (sited.has(name) ? `before ${name}` : name)),
    );
    for (const name of wrong) {
      const product = new MessageWriter().text(1, `before ${name}`).text(1, factorName(sited.get(name)!));
      body.message(1, product.text(2, name).text(4, 'Mul'));
    }
  }
  for (const field of readFields(graphOf(program))) if (field.number !== 1) copyField(body, field);
  for (const site of sites) body.message(11, valueInfo(factorName(site), FLOAT, []));
  const factors = sites.map((site) => ({ name: factorName(site), dtype: 'float32' as const, shape: [] }));
  return { ...programOf(program, body), inputs: [...program.inputs, ...factors], outputs: program.outputs };
}

/** The bytes of `program` with the results of all nodes as outputs, in their order and after its own. */
export function withAllOutputs(program: Program): Uint8Array {
  const { nodes, types } = takeApart(program);
  const body = new MessageWriter();
  for (const field of readFields(graphOf(program))) copyField(body, field);
  const own = new Set(program.outputs.map(({ name }) => name));
  for (const name of nodes.flatMap(({ outputs }) => outputs))
    if (!own.has(name)) body.message(12, valueInfo(name, types.get(name)!));
  return programOf(program, body).bytes;
}

/** The bytes of a program of nothing but `node`, whose inputs (constants apart) and outputs are its own. */
export function nodeProgram(program: Program, { types, constants }: ProgramParts, node: ProgramNode): Uint8Array {
  const body = new MessageWriter().bytes(1, node.bytes).text(2, 'node');
  const inputs = new Set(node.inputs.filter((name) => name !== ''));
  for (const name of inputs) if (constants.has(name)) body.bytes(5, constants.get(name)!);
  for (const name of inputs) if (!constants.has(name)) body.message(11, valueInfo(name, types.get(name)!));
  for (const name of node.outputs) body.message(12, valueInfo(name, types.get(name)!));
  return programOf(program, body).bytes;
}

function typeOf({ type, inputs, bytes }: ProgramNode, types: ReadonlyMap<string, number>): number {
  if (/^(Equal|Less|Greater|And|Or|Not)/.test(type)) return BOOL;
  if (type === 'Cast') {
    const attributes = [...readFields(bytes)].filter(({ number }) => number === 5);
    return integer(attributes.find((attribute) => text(attribute.bytes, 1) === 'to')!.bytes, 3)!;
  }
  return types.get(inputs[type === 'Where' ? 1 : 0]!)!;
}

function nodeOf(bytes: Uint8Array): ProgramNode {
  const fields = [...readFields(bytes)];
  const names = (number: number) => fields.filter((field) => field.number === number).map((f) => fromUtf8(f.bytes));
  return { type: text(bytes, 4), inputs: names(1), outputs: names(2), bytes };
}

function renameOutputs(node: Uint8Array, rename: (name: string) => string): Uint8Array {
  const message = new MessageWriter();
  for (const field of readFields(node)) {
    if (field.number === 2) message.text(2, rename(fromUtf8(field.bytes)));
    else copyField(message, field);
  }
  return message.done();
}

/** The fields of nodes and graphs are texts and messages. */
function copyField(message: MessageWriter, { number, bytes }: Field): void {
  message.bytes(number, bytes);
}

function graphOf({ bytes }: Program): Uint8Array {
  return [...readFields(bytes)].find(({ number }) => number === 7)!.bytes;
}

/** A model like `program` with another graph. */
function programOf(program: Program, body: MessageWriter): Program {
  const model = new MessageWriter();
  for (const field of readFields(program.bytes)) {
    if (field.number === 7) model.message(7, body);
    else if (field.bytes.length > 0) model.bytes(field.number, field.bytes);
    else model.integer(field.number, field.integer);
  }
  const bytes = model.done();
  return { ...program, id: sha256(bytes), bytes };
}

/** Without a shape where none is known: ONNX Runtime finds out. */
function valueInfo(name: string, type: number, shape?: readonly number[]): MessageWriter {
  const tensor = new MessageWriter().integer(1, type);
  if (shape) {
    const dimensions = new MessageWriter();
    for (const size of shape) dimensions.message(1, new MessageWriter().integer(1, size));
    tensor.message(2, dimensions);
  }
  return new MessageWriter().text(1, name).message(2, new MessageWriter().message(1, tensor));
}

function text(message: Uint8Array, number: number): string {
  return fromUtf8([...readFields(message)].find((field) => field.number === number)!.bytes);
}

function integer(message: Uint8Array, number: number): number | undefined {
  const field = [...readFields(message)].find((candidate) => candidate.number === number);
  return field && Number(field.integer);
}
