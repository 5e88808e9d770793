/**
 * The dense codec: 8 bits for every parameter and one scale for each block of 4096.
 *
 * For short runs, where sparse updates have not paid their debt yet. It keeps no error memory: what rounding loses is
 * under half a percent of a block's largest change.
 */
import { bytesOf } from '@folkmoot/core';
import type { ParameterLayout } from '@folkmoot/model';
import { aligned } from './artifact.ts';
import { arenaChunks, type Chunks } from './chunks.ts';
import { MAX_VALUE, roundHalfAway, UNIT } from './fixed-point.ts';

/** Codes reach from −127 to 127, so this scale keeps every value within `MAX_VALUE`. */
export const MAX_SCALE = Math.floor(MAX_VALUE / 127);

/** Parameter `i` of block `c` changes by `codes[i] · scales[c]` UNITs. */
export interface DenseUpdate {
  readonly kind: 'dense';
  readonly chunks: Chunks;
  readonly scales: Int32Array;
  readonly codes: Int8Array;
}

/** Bytes of an update's body: scales, then codes. */
export function denseBodyBytes(layout: ParameterLayout): number {
  return 4 * arenaChunks(layout).count + layout.elements;
}

/** Encodes `change` (finite). A scale is rounded up, so that the largest change of a block still fits. */
export function encodeDense(layout: ParameterLayout, change: Float32Array): DenseUpdate {
  const chunks = arenaChunks(layout);
  const scales = new Int32Array(chunks.count);
  const codes = new Int8Array(layout.elements);
  for (let chunk = 0; chunk < chunks.count; chunk++) {
    const start = chunks.starts[chunk];
    const end = start + chunks.lengths[chunk];
    let largest = 0;
    for (let i = start; i < end; i++) largest = Math.max(largest, Math.abs(change[i]));
    const scale = Math.min(MAX_SCALE, Math.ceil(largest / UNIT / 127));
    if (scale === 0) continue;
    scales[chunk] = scale;
    const step = scale * UNIT;
    for (let i = start; i < end; i++) codes[i] = Math.max(-127, Math.min(127, roundHalfAway(change[i] / step)));
  }
  return { kind: 'dense', chunks, scales, codes };
}

export function writeDense(update: DenseUpdate, body: Uint8Array): void {
  body.set(bytesOf(update.scales), 0);
  body.set(bytesOf(update.codes), update.scales.byteLength);
}

/** The update in `body`, which has `denseBodyBytes`; or the rule that it breaks. */
export function readDense(layout: ParameterLayout, body: Uint8Array): DenseUpdate | string {
  const chunks = arenaChunks(layout);
  const scales = new Int32Array(aligned(body.subarray(0, 4 * chunks.count)));
  for (const scale of scales)
    if (scale < 0 || scale > MAX_SCALE) return `A block's scale is ${scale}, outside of 0 to ${MAX_SCALE}.`;
  const codes = new Int8Array(aligned(body.subarray(4 * chunks.count)));
  if (codes.includes(-128)) return 'A code is −128, outside of −127 to 127.';
  return { kind: 'dense', chunks, scales, codes };
}
