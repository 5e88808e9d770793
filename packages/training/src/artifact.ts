/** States as artifacts: little-endian arrays of exactly the size that the model has. */
import { bytesOf, type Hash, sha256 } from '@folkmoot/core';
import type { MomentSizes } from '@folkmoot/model';
import { hasNonFinite } from './bfloat16.ts';

/** The inner optimizer's memory at a segment boundary, bfloat16. */
export interface Moments {
  /** AdamW's first moments and Muon's momentum, N elements. */
  readonly m: Uint16Array;
  /** AdamW's second moments, of the arena's last `MomentSizes.second` elements. */
  readonly v: Uint16Array;
}

export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

export const paramsBytes = (elements: number) => 4 * elements;
export const momentsBytes = ({ first, second }: MomentSizes) => 2 * (first + second);
export const errorBytes = (elements: number) => 2 * elements;

/** Moments of a device that has not trained yet. */
export function zeroMoments({ first, second }: MomentSizes): Moments {
  return { m: new Uint16Array(first), v: new Uint16Array(second) };
}

/** Error memory of nothing. */
export function zeroError(elements: number): Uint16Array {
  return new Uint16Array(elements);
}

/** The artifact of `moments`: m, then v. */
export function writeMoments({ m, v }: Moments): Uint8Array {
  const bytes = new Uint8Array(m.byteLength + v.byteLength);
  bytes.set(bytesOf(m), 0);
  bytes.set(bytesOf(v), m.byteLength);
  return bytes;
}

export function momentsId({ m, v }: Moments): Hash {
  return sha256(bytesOf(m), bytesOf(v));
}

/** Parameters from a stranger: N finite float32, in the memory of `bytes` where they are aligned. */
export function readParams(bytes: Uint8Array, elements: number): Read<Float32Array> {
  if (bytes.length !== paramsBytes(elements)) return wrongSize('Parameters', bytes, paramsBytes(elements));
  const value = float32View(bytes);
  return hasNonFinite(value) ? notFinite('Parameters') : { ok: true, value };
}

/** Moments from a stranger: as many finite bfloat16 as `sizes` says, no v below zero. */
export function readMoments(bytes: Uint8Array, sizes: MomentSizes): Read<Moments> {
  if (bytes.length !== momentsBytes(sizes)) return wrongSize('Moments', bytes, momentsBytes(sizes));
  const both = uint16View(bytes);
  if (hasNonFinite(both)) return notFinite('Moments');
  const value = { m: both.subarray(0, sizes.first), v: both.subarray(sizes.first) };
  // The square root of a negative v would make NaN of an honest re-execution.
  return value.v.some((half) => half > 0x8000)
    ? { ok: false, reason: 'Moments hold a negative mean of squares.' }
    : { ok: true, value };
}

/** Error memory from a stranger: N finite bfloat16. */
export function readError(bytes: Uint8Array, elements: number): Read<Uint16Array> {
  if (bytes.length !== errorBytes(elements)) return wrongSize('Error memory', bytes, errorBytes(elements));
  const value = uint16View(bytes);
  return hasNonFinite(value) ? notFinite('Error memory') : { ok: true, value };
}

/** `bytes` as numbers, where they lie if their place allows: nobody writes to what was read. */
function float32View(bytes: Uint8Array): Float32Array {
  return bytes.byteOffset % 4 === 0
    ? new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
    : new Float32Array(aligned(bytes));
}

function uint16View(bytes: Uint8Array): Uint16Array {
  return bytes.byteOffset % 2 === 0
    ? new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
    : new Uint16Array(aligned(bytes));
}

/** A buffer that holds `bytes` alone: received bytes may lie anywhere in theirs. (A Node `Buffer`'s `slice` copies nothing.) */
export function aligned(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

function wrongSize(what: string, bytes: Uint8Array, expected: number): { ok: false; reason: string } {
  return { ok: false, reason: `${what}: ${bytes.length} bytes, where the model has ${expected}.` };
}

function notFinite(what: string): { ok: false; reason: string } {
  return { ok: false, reason: `${what}: a value is not finite.` };
}
