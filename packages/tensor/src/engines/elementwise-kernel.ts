/**
 * Runs elementwise programs in one pass, as WebAssembly that is assembled here, four numbers at a time.
 *
 * IEEE 754 rounds + − × ÷ √ in one way, and WebAssembly neither fuses nor reorders them: so the bits are those of ONNX
 * Runtime, which makes a pass over memory for each operator and takes three times as long (a test compares).
 */
import type { TensorData } from '../engine.ts';
import type { Program } from '../program.ts';
import { type ElementwiseOperator, type ElementwiseProgram, readElementwise } from './elementwise.ts';

/** Computes the outputs (`null`: not wanted) from the inputs, both in the program's order. They may overlap exactly. */
export type Kernel = (inputs: readonly TensorData[], outputs: readonly (TensorData | null)[]) => void;

/** Elements that are copied in, computed and copied out at a time: all of them together fit into a second-level cache. */
const PIECE = 8192;

/** A kernel for `program`, or nothing where it is not elementwise. */
export function elementwiseKernel(program: Program): Kernel | undefined {
  const parts = readElementwise(program);
  if (!parts) return undefined;
  const places = placesOf(parts);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(assemble(parts, places)));
  const { memory, run } = instance.exports as { memory: WebAssembly.Memory; run(bytes: number): void };
  const pieces = (names: readonly string[]) =>
    names.map((name) => new Float32Array(memory.buffer, places.get(name)!, PIECE));
  const numbers = new Float32Array(memory.buffer);
  const inputs = pieces(parts.inputs.filter(({ vector }) => vector).map(({ name }) => name));
  const outputs = pieces(parts.outputs);

  return (given, wanted) => {
    const vectors = given.filter((_, i) => parts.inputs[i]!.vector);
    for (const [i, { name, vector }] of parts.inputs.entries())
      if (!vector) numbers[places.get(name)! / 4] = given[i]![0]!;
    for (let start = 0; start < parts.length; start += PIECE) {
      const end = Math.min(start + PIECE, parts.length);
      for (const [i, vector] of vectors.entries()) inputs[i]!.set(vector.subarray(start, end));
      run(4 * (end - start));
      for (const [i, vector] of wanted.entries()) vector?.set(outputs[i]!.subarray(0, end - start), start);
    }
  };
}

/** Where each input and output begins in the kernel's memory, in bytes: vectors, then numbers. */
function placesOf({ inputs, outputs }: ElementwiseProgram): Map<string, number> {
  const vectors = [...inputs.filter(({ vector }) => vector).map(({ name }) => name), ...outputs];
  const places = new Map(vectors.map((name, i) => [name, 4 * PIECE * i]));
  const border = 4 * PIECE * vectors.length;
  for (const [i, { name }] of inputs.filter(({ vector }) => !vector).entries()) places.set(name, border + 4 * i);
  return places;
}

const PAGE = 65_536;
const [I32, V128] = [0x7f, 0x7b];
const [LOOP, END, BRANCH_IF, GET, SET, TEE] = [0x03, 0x0b, 0x0d, 0x20, 0x21, 0x22];
const [I32_CONST, I32_ADD, I32_LESS] = [0x41, 0x6a, 0x49];
const SIMD = 0xfd;
const [LOAD, LOAD_SPLAT, STORE, CONST] = [0x00, 0x09, 0x0b, 0x0c];
const ARITHMETIC: Readonly<Record<ElementwiseOperator, number>> = { Sqrt: 227, Add: 228, Sub: 229, Mul: 230, Div: 231 };

/** A module with its memory and `run(bytes)`, which computes that many bytes of each vector, a multiple of 16. */
function assemble(program: ElementwiseProgram, places: ReadonlyMap<string, number>): Uint8Array<ArrayBuffer> {
  const pages = Math.ceil((Math.max(...places.values()) + 4 * PIECE) / PAGE);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [1, 0x60, 1, I32, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, ...leb(pages)]),
    ...section(7, [2, ...text('run'), 0, 0, ...text('memory'), 2, 0]),
    ...section(10, [1, ...sized(body(program, places))]),
  ]);
}

/** Local 0 is `bytes`, local 1 the position in bytes, and each value has a local of four numbers after these. */
function body(
  { inputs, constants, steps, outputs }: ElementwiseProgram,
  places: ReadonlyMap<string, number>,
): readonly number[] {
  const locals = new Map<string, number>();
  const local = (name: string) => {
    if (!locals.has(name)) locals.set(name, locals.size + 2);
    return leb(locals.get(name)!);
  };
  const at = (name: string) => leb(places.get(name)!);
  const numbers = inputs.filter(({ vector }) => !vector);
  const vectors = inputs.filter(({ vector }) => vector);
  const code = [
    ...numbers.flatMap(({ name }) => [I32_CONST, 0, SIMD, LOAD_SPLAT, 2, ...at(name), SET, ...local(name)]),
    ...[...constants].flatMap(([name, value]) => [SIMD, CONST, ...splat(value), SET, ...local(name)]),
    ...[LOOP, 0x40],
    ...vectors.flatMap(({ name }) => [GET, 1, SIMD, LOAD, 4, ...at(name), SET, ...local(name)]),
    ...steps.flatMap(({ operator, operands, result }) => [
      ...operands.flatMap((name) => [GET, ...local(name)]),
      ...[SIMD, ...leb(ARITHMETIC[operator]), SET, ...local(result)],
    ]),
    ...outputs.flatMap((name) => [GET, 1, GET, ...local(name), SIMD, STORE, 4, ...at(name)]),
    ...[GET, 1, I32_CONST, 16, I32_ADD, TEE, 1, GET, 0, I32_LESS, BRANCH_IF, 0],
    ...[END, END],
  ];
  return [2, 1, I32, ...leb(locals.size), V128, ...code];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...sized(content)];
}

function sized(content: readonly number[]): number[] {
  return [...leb(content.length), ...content];
}

function text(letters: string): number[] {
  return sized([...new TextEncoder().encode(letters)]);
}

/** Seven bits per byte, least significant first. */
function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)];
}

/** A float32 four times. */
function splat(value: number): number[] {
  return [...new Uint8Array(new Float32Array(4).fill(value).buffer)];
}
