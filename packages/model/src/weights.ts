/**
 * A model's parameters out of safetensors files, however large: headers first, then piece by piece in the arena's order.
 *
 * Nothing is held but the headers and one piece, so a member needs no room for a model that it only passes on.
 */
import { bytesOf, WorldError } from '@folkmoot/core';
import type { ModelConfig } from './config.ts';
import { parameterLayout } from './layout.ts';
import { type PlacedEntry, readSafetensorsHeader, type SafetensorsDType, safetensorsDataStart } from './safetensors.ts';

/** A file that can be read anywhere. */
export interface WeightsFile {
  readonly name: string;
  readonly sizeBytes: number;
  /** Fills `into` from `offset`; the number of bytes, fewer where the file ends. */
  read(into: Uint8Array, offset: number): Promise<number>;
}

/** Elements of a piece. */
const PIECE = 2 ** 18;
/** A header has some hundred bytes for each tensor. */
const HEADER_BYTES_EACH = 4096;
const HEADER_BYTES_MORE = 2 ** 20;

/** Bytes of an element in a file. */
const STORED: Partial<Record<SafetensorsDType, number>> = { F32: 4, F16: 2, BF16: 2 };

interface Place {
  readonly file: WeightsFile;
  readonly dataStart: number;
  readonly entry: PlacedEntry;
}

/**
 * Parameters of `config` from one or several `files`, float32, float16 or bfloat16.
 *
 * Yields float32 bytes, little-endian, in the order of the arena, at most 1 MiB at a time; a piece is good until the
 * next one, which takes its place. Throws `safetensors-invalid` for a
 * damaged file, `weights-unsuitable` for tensors that are missing, unknown, twice there, of another shape or type, or not
 * finite; all but the last before anything is yielded.
 */
export async function* weightPieces(config: ModelConfig, files: readonly WeightsFile[]): AsyncGenerator<Uint8Array> {
  const { tensors } = parameterLayout(config);
  const places = await placesOf(files, new Map(tensors.map(({ name, shape }) => [name, shape])));
  // One piece of memory for all: the collector lets hundreds of megabytes of pieces lie.
  const [values, raw] = [new Float32Array(PIECE), new Uint8Array(4 * PIECE)];
  for (const { name, elements } of tensors) {
    const { file, dataStart, entry } = places.get(name)!;
    const size = STORED[entry.dtype]!;
    for (let at = 0; at < elements; at += PIECE) {
      const piece = values.subarray(0, Math.min(PIECE, elements - at));
      const into = size === 4 ? bytesOf(piece) : raw.subarray(0, size * piece.length);
      if ((await file.read(into, dataStart + entry.start + at * size)) !== into.length)
        throw unsuitable(`${file.name} ends within the tensor ${name}`);
      if (size === 2) widen(new Uint16Array(raw.buffer, 0, piece.length), entry.dtype, piece);
      if (hasNonFinite(piece)) throw unsuitable(`the tensor ${name} has a value that is not finite`);
      yield bytesOf(piece);
    }
  }
}

/** Where each tensor of `shapes` is. */
async function placesOf(
  files: readonly WeightsFile[],
  shapes: ReadonlyMap<string, readonly number[]>,
): Promise<Map<string, Place>> {
  const places = new Map<string, Place>();
  for (const file of files)
    for (const place of await entriesOf(file, shapes.size)) {
      const { name, dtype, shape } = place.entry;
      const expected = shapes.get(name);
      const shown = JSON.stringify(name.slice(0, 80));
      if (!expected) throw unsuitable(`there is a tensor that this config has not: ${shown}`);
      if (places.has(name)) throw unsuitable(`the tensor ${shown} is there twice`);
      if (shape.join() !== expected.join()) throw unsuitable(`the tensor ${shown} is [${shape}], not [${expected}]`);
      if (!STORED[dtype]) throw unsuitable(`the tensor ${shown} is ${dtype}, and not F32, F16 or BF16`);
      places.set(name, place);
    }
  const missing = [...shapes.keys()].find((name) => !places.has(name));
  if (missing !== undefined) throw unsuitable(`the tensor ${missing} is missing`);
  return places;
}

/** The header of `file`, whose size is checked before it is read. */
async function entriesOf(file: WeightsFile, tensors: number): Promise<Place[]> {
  const dataStart = safetensorsDataStart(await bytesAt(file, 8));
  const most = HEADER_BYTES_MORE + HEADER_BYTES_EACH * tensors;
  if (dataStart > file.sizeBytes || dataStart > most)
    throw unsuitable(`the header of ${file.name} claims ${dataStart - 8} bytes, more than so few tensors need`);
  const header = readSafetensorsHeader(await bytesAt(file, dataStart), file.sizeBytes);
  return header.entries.map((entry) => ({ file, dataStart, entry }));
}

async function bytesAt(file: WeightsFile, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  return bytes.subarray(0, await file.read(bytes, 0));
}

function widen(halves: Uint16Array, dtype: SafetensorsDType, into: Float32Array): void {
  const bits = new Uint32Array(into.buffer, into.byteOffset, into.length);
  for (let i = 0; i < halves.length; i++) bits[i] = dtype === 'BF16' ? halves[i]! << 16 : float16Bits(halves[i]!);
}

function hasNonFinite(values: Float32Array): boolean {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < words.length; i++) if ((words[i]! & 0x7f800000) === 0x7f800000) return true;
  return false;
}

/** The bits of the float32 with the value of a float16: exact. */
export function float16Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return sign | 0x7f800000 | (fraction << 13);
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  // Subnormal: fraction · 2^-24, whose highest bit becomes the implied one.
  const shift = Math.clz32(fraction) - 21;
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 1023) << 13);
}

function unsuitable(why: string): WorldError {
  return new WorldError('weights-unsuitable', `These weights cannot be used: ${why}.`, {
    help: 'Give the folder of a Llama model in Hugging Face form, such as one made by `./folkmoot export`.',
  });
}
