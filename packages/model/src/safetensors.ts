/**
 * The safetensors file format (Hugging Face): 8 bytes of header length, a JSON header, the tensors' bytes.
 *
 * Reader and writer work on the header alone, so that a caller can stream the data that follows it.
 */
import { bytesOf, concat, type JsonBounds, parseBoundedJson, utf8, WorldError } from '@folkmoot/core';

/** Bytes of one element. */
const ELEMENT_BYTES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const;

export type SafetensorsDType = keyof typeof ELEMENT_BYTES;

/** The format's own limit on the header: 100 MB. */
export const MAX_HEADER_BYTES = 100_000_000;
/** Three containers a tensor and some ten commas: a quarter of a million tensors, where the largest models have a tenth of that in a file. */
const BOUNDS: JsonBounds = { depth: 3, containers: 3 * 2 ** 18, commas: 10 * 2 ** 18 };

export interface SafetensorsEntry {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
}

/** An entry with its place: bytes from the end of the header, `end` excluded. */
export interface PlacedEntry extends SafetensorsEntry {
  readonly start: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly metadata: ReadonlyMap<string, string>;
  /** In the order of their places. */
  readonly entries: readonly PlacedEntry[];
  /** Bytes before the data: 8 + the header's length. */
  readonly dataStart: number;
  /** Bytes of all tensors. */
  readonly dataBytes: number;
}

/**
 * The bytes before the data, length included, padded to a multiple of 8.
 *
 * The data that must follow: the tensors in the order of `entries`, little-endian, row-major, nothing between them.
 */
export function writeSafetensorsHeader(
  entries: readonly SafetensorsEntry[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  let offset = 0;
  const fields: [string, unknown][] = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : [];
  for (const { name, dtype, shape } of entries) {
    const end = offset + byteLength(dtype, shape);
    fields.push([name, { dtype, shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  const json = utf8(JSON.stringify(Object.fromEntries(fields)));
  const padded = new Uint8Array(Math.ceil(json.length / 8) * 8).fill(0x20);
  padded.set(json);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(padded.length), true);
  return concat([length, padded]);
}

/** Bytes before the data, from the first 8 bytes of a file. Throws `safetensors-invalid` beyond the format's limit. */
export function safetensorsDataStart(first8: Uint8Array): number {
  if (first8.length < 8) throw invalid('it ends within its first 8 bytes');
  const length = new DataView(first8.buffer, first8.byteOffset).getBigUint64(0, true);
  if (length < 2n || length > MAX_HEADER_BYTES) throw invalid(`its header claims ${length} bytes`);
  return 8 + Number(length);
}

/**
 * Reads the header of a file of `fileBytes` bytes. `start`: at least its first `safetensorsDataStart` bytes.
 *
 * Throws `safetensors-invalid` unless the tensors cover the data exactly: none outside, no overlap, no hole.
 */
export function readSafetensorsHeader(start: Uint8Array, fileBytes: number): SafetensorsHeader {
  const dataStart = safetensorsDataStart(start);
  if (start.length < dataStart || fileBytes < dataStart) throw invalid('it ends within its header');
  const fields = parseObject(start.subarray(8, dataStart));
  const metadata = readMetadata(fields.get('__metadata__'));
  fields.delete('__metadata__');
  const entries = [...fields].map(([name, value]) => readEntry(name, value));
  entries.sort((a, b) => a.start - b.start || a.end - b.end);
  let covered = 0;
  for (const { name, start, end } of entries) {
    if (start !== covered) throw invalid(`tensor ${shown(name)} begins at ${start}, not at ${covered}`);
    covered = end;
  }
  if (covered !== fileBytes - dataStart)
    throw invalid(`its tensors take ${covered} bytes, but ${fileBytes - dataStart} follow the header`);
  return { metadata, entries, dataStart, dataBytes: covered };
}

/** A float32 tensor's values, copied: its place in a file need not be a multiple of 4. */
export function float32Of(file: Uint8Array, header: SafetensorsHeader, entry: PlacedEntry): Float32Array {
  if (entry.dtype !== 'F32') throw invalid(`tensor ${shown(entry.name)} is ${entry.dtype}, not F32`);
  const values = new Float32Array((entry.end - entry.start) / 4);
  bytesOf(values).set(file.subarray(header.dataStart + entry.start, header.dataStart + entry.end));
  return values;
}

function parseObject(bytes: Uint8Array): Map<string, unknown> {
  let value: unknown;
  try {
    value = parseBoundedJson(bytes, BOUNDS);
  } catch {
    throw invalid('its header is not JSON');
  }
  if (!isObject(value)) throw invalid('its header is not a JSON object');
  return new Map(Object.entries(value));
}

function readMetadata(value: unknown): Map<string, string> {
  if (value === undefined) return new Map();
  const pairs = isObject(value) ? Object.entries(value) : [['', null]];
  if (!pairs.every((pair): pair is [string, string] => typeof pair[1] === 'string'))
    throw invalid('its metadata are not texts by name');
  return new Map(pairs);
}

function readEntry(name: string, value: unknown): PlacedEntry {
  if (!isObject(value)) throw invalid(`tensor ${shown(name)} is not described`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(ELEMENT_BYTES, dtype))
    throw invalid(`tensor ${shown(name)} has an unknown type`);
  if (!isSizes(shape) || shape.length > 16) throw invalid(`tensor ${shown(name)} has no proper shape`);
  if (!isSizes(offsets) || offsets.length !== 2) throw invalid(`tensor ${shown(name)} has no proper offsets`);
  const [start, end] = offsets as [number, number];
  const expected = byteLength(dtype as SafetensorsDType, shape);
  if (end - start !== expected)
    throw invalid(`tensor ${shown(name)} has ${end - start} bytes, its shape needs ${expected}`);
  return { name, dtype: dtype as SafetensorsDType, shape, start, end };
}

function byteLength(dtype: SafetensorsDType, shape: readonly number[]): number {
  return shape.reduce((bytes, size) => {
    if (!Number.isSafeInteger(bytes * size)) throw invalid('a tensor is larger than any file');
    return bytes * size;
  }, ELEMENT_BYTES[dtype]);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 80));
}

function invalid(why: string): WorldError {
  return new WorldError('safetensors-invalid', `This safetensors file cannot be read: ${why}.`, {
    help: 'Download or export the file again.',
  });
}
