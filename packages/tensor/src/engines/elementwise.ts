/** Recognises programs that do nothing but + − × ÷ √ on equally long vectors and on numbers: optimizers are such. */
import { isWorldError } from '@folkmoot/core';
import type { Program } from '../program.ts';
import { type Field, readFields } from '../protobuf.ts';
import { summarizeProgram } from '../read.ts';

export type ElementwiseOperator = 'Add' | 'Sub' | 'Mul' | 'Div' | 'Sqrt';

/** How many operands an operator has. */
const OPERANDS: Readonly<Record<ElementwiseOperator, number>> = { Add: 2, Sub: 2, Mul: 2, Div: 2, Sqrt: 1 };

/** A value is known by its name in the program. */
export interface ElementwiseStep {
  readonly operator: ElementwiseOperator;
  readonly operands: readonly string[];
  readonly result: string;
}

export interface ElementwiseProgram {
  /** n, the length of all vectors, a multiple of 4. */
  readonly length: number;
  /** In the program's order: vectors `[n]` and numbers `[]`. */
  readonly inputs: readonly { readonly name: string; readonly vector: boolean }[];
  readonly constants: ReadonlyMap<string, number>;
  readonly steps: readonly ElementwiseStep[];
  /** Vectors `[n]`, in the program's order. */
  readonly outputs: readonly string[];
}

/** What a program of this kind has at most; an optimizer has a dozen of each. */
const MOST_VALUES = 64;

/** `program` as steps, or nothing where it is of another kind or not what it claims to be: an engine judges those. */
export function readElementwise(program: Program): ElementwiseProgram | undefined {
  try {
    const { program: found, operators, nodes } = summarizeProgram(program.bytes);
    if (nodes > MOST_VALUES || ![...operators.keys()].every((operator) => operator in OPERANDS)) return undefined;
    const claimed = JSON.stringify([program.inputs, program.outputs]);
    if (claimed !== JSON.stringify([found.inputs, found.outputs])) return undefined;
    const [graph] = fieldsOf(program.bytes, 7);
    const steps = fieldsOf(graph!.bytes, 1).map(readStep);
    const constants = new Map(fieldsOf(graph!.bytes, 5).map(readNumber));
    return arrange(program, constants, steps);
  } catch (error) {
    if (error instanceof RangeError || isWorldError(error, 'program-invalid')) return undefined;
    throw error;
  }
}

/** Throws `RangeError` unless every value is known where it is used, and all vectors are equally long. */
function arrange(program: Program, constants: Map<string, number>, steps: ElementwiseStep[]): ElementwiseProgram {
  const specs = [...program.inputs, ...program.outputs];
  const [length] = program.outputs[0]!.shape;
  const fits = ({ shape }: (typeof specs)[number]) => shape.length === 0 || (shape.length === 1 && shape[0] === length);
  if (!length || length % 4 || !specs.every((spec) => spec.dtype === 'float32' && fits(spec)))
    throw new RangeError('not all are vectors of one length, or numbers');
  const isVector = new Map<string, boolean>([...constants.keys()].map((name) => [name, false]));
  for (const { name, shape } of program.inputs) {
    if (isVector.has(name)) throw new RangeError('an input has a default');
    isVector.set(name, shape.length === 1);
  }
  for (const { operands, result } of steps) {
    if (isVector.has(result) || !operands.every((name) => isVector.has(name))) throw new RangeError('names do not fit');
    isVector.set(
      result,
      operands.some((name) => isVector.get(name)),
    );
  }
  const outputs = program.outputs.map(({ name }) => name);
  if (!program.outputs.every(({ name, shape }) => shape.length === 1 && isVector.get(name)))
    throw new RangeError('an output is a number');
  if (isVector.size > MOST_VALUES) throw new RangeError('too many values');
  const inputs = program.inputs.map(({ name }) => ({ name, vector: isVector.get(name)! }));
  return { length, inputs, constants, steps, outputs };
}

function readStep({ bytes }: Field): ElementwiseStep {
  const operator = textOf(fieldsOf(bytes, 4)[0]!) as ElementwiseOperator;
  const operands = fieldsOf(bytes, 1).map(textOf);
  const results = fieldsOf(bytes, 2).map(textOf);
  if (operands.length !== OPERANDS[operator] || results.length !== 1 || fieldsOf(bytes, 5).length > 0)
    throw new RangeError(`${operator} is used in another way`);
  return { operator, operands, result: results[0]! };
}

/** A constant float32 of shape [] with its name. */
function readNumber({ bytes }: Field): [string, number] {
  const [type, label, raw] = [2, 8, 9].map((number) => fieldsOf(bytes, number)[0]);
  if (fieldsOf(bytes, 1).length > 0 || type?.integer !== 1n || raw?.bytes.length !== 4)
    throw new RangeError('a constant is no float32 of shape []');
  return [textOf(label!), new DataView(raw.bytes.buffer, raw.bytes.byteOffset).getFloat32(0, true)];
}

function fieldsOf(bytes: Uint8Array, number: number): Field[] {
  return [...readFields(bytes)].filter((field) => field.number === number);
}

function textOf({ bytes }: Field): string {
  return new TextDecoder().decode(bytes);
}
