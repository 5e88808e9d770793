/**
 * Whole arenas in and out of an engine's memory, a piece at a time: what travels to another thread is copied on its way, and
 * a copy of a large model is what there is no room for.
 */
import type { DeviceBuffer, EngineMemory } from '@folkmoot/tensor';
import { packBfloat16, unpackBfloat16 } from './bfloat16.ts';

/** 4 MiB. Larger pieces are no faster. */
const PIECE = 2 ** 20;

/** Elements of a piece. On a device every size is a program of its own to compile, so an arena is one piece there. */
export function pieceFor(memory: EngineMemory): number {
  return memory === 'device' ? Number.POSITIVE_INFINITY : PIECE;
}

/** Writes `values` to the start of `buffer`; bfloat16 as the float32 that it stands for. */
export async function writePieces(buffer: DeviceBuffer, values: Float32Array | Uint16Array, piece: number) {
  for (let at = 0; at < values.length; at += piece) {
    const part = values.subarray(at, Math.min(values.length, at + piece));
    await buffer.write(part instanceof Uint16Array ? unpackBfloat16(part) : part, at);
  }
}

/** The first `elements` of `buffer`. */
export async function readPieces(buffer: DeviceBuffer, elements: number, piece: number): Promise<Float32Array> {
  const values = new Float32Array(elements);
  for await (const [at, part] of pieces(buffer, elements, piece)) values.set(part, at);
  return values;
}

/** The first `elements` of `buffer`, rounded to bfloat16. */
export async function readBfloat16(buffer: DeviceBuffer, elements: number, piece: number): Promise<Uint16Array> {
  const halves = new Uint16Array(elements);
  for await (const [at, part] of pieces(buffer, elements, piece)) halves.set(packBfloat16(part), at);
  return halves;
}

async function* pieces(buffer: DeviceBuffer, elements: number, piece: number): AsyncIterable<[number, Float32Array]> {
  for (let at = 0; at < elements; at += piece)
    yield [at, (await buffer.read(at, Math.min(piece, elements - at))) as Float32Array];
}
