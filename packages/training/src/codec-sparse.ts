/**
 * The sparse codec (SparseLoCo, arXiv 2508.15706): the `keep` largest of every 4096 changes, two bits for a value and for
 * the places of a chunk their rank among all sets of places (`subsets.ts`). What was not sent stays in the error memory
 * and is offered again.
 *
 * The 2-bit quantiser is the one of the published training code: per tensor, levels 1.5 standard deviations apart around
 * the mean, each decoded as the mean of what fell into it.
 */
import { bytesOf } from '@folkmoot/core';
import type { ParameterLayout } from '@folkmoot/model';
import { aligned } from './artifact.ts';
import { BitReader, BitWriter } from './bit-fields.ts';
import { CHUNK, type Chunks, tensorChunks } from './chunks.ts';
import { MAX_VALUE, roundHalfAway, toUnits, UNIT } from './fixed-point.ts';
import { binomial, placesOf, rankBits, rankOf } from './subsets.ts';
import { topIndices } from './top-k.ts';

const CODE_BITS = 2;
const LEVELS = 4;

/**
 * Entry `e` of chunk `c`, for `e` from `entries[c]` up to `entries[c + 1]`, changes parameter `indices[e]` of that chunk by
 * `codebooks[4 · tensor + codes[e]]` UNITs. Indices ascend within a chunk.
 */
export interface SparseUpdate {
  readonly kind: 'sparse';
  readonly chunks: Chunks;
  readonly entries: Uint32Array;
  readonly indices: Uint16Array;
  readonly codes: Uint8Array;
  readonly codebooks: Int32Array;
}

/** Bytes of an update's body: codebooks; then, as bits, the ranks of all chunks and the codes of all entries. */
export function sparseBodyBytes(layout: ParameterLayout, keep: number): number {
  const chunks = tensorChunks(layout);
  const entries = entriesOf(chunks, keep);
  let bits = CODE_BITS * entries[chunks.count];
  for (let chunk = 0; chunk < chunks.count; chunk++)
    bits += rankBits(chunks.lengths[chunk], entries[chunk + 1] - entries[chunk]);
  return codebookBytes(layout) + Math.ceil(bits / 8);
}

/** Encodes `change` (finite), and leaves in it what the update does not say. `keep`: of 4096, at most `MAX_SUBSET`. */
export function encodeSparse(layout: ParameterLayout, keep: number, change: Float32Array): SparseUpdate {
  const chunks = tensorChunks(layout);
  const entries = entriesOf(chunks, keep);
  const indices = select(change, chunks, entries);
  const codes = new Uint8Array(indices.length);
  const codebooks = new Int32Array(LEVELS * layout.tensors.length);
  const values = gather(change, chunks, entries, indices);
  for (let tensor = 0; tensor < layout.tensors.length; tensor++) {
    const from = entries[chunks.groups[tensor]];
    const to = entries[chunks.groups[tensor + 1]];
    codebooks.set(quantise(values.subarray(from, to), codes.subarray(from, to)), LEVELS * tensor);
  }
  const update: SparseUpdate = { kind: 'sparse', chunks, entries, indices, codes, codebooks };
  forEachEntry(update, (parameter, units) => {
    change[parameter] -= units * UNIT;
  });
  return update;
}

/** Calls `visit` with each parameter that the update names, ascending, and its change in UNITs. */
export function forEachEntry(update: SparseUpdate, visit: (parameter: number, units: number) => void): void {
  const { chunks, entries, indices, codes, codebooks } = update;
  for (let tensor = 0; tensor + 1 < chunks.groups.length; tensor++) {
    for (let chunk = chunks.groups[tensor]; chunk < chunks.groups[tensor + 1]; chunk++) {
      for (let entry = entries[chunk]; entry < entries[chunk + 1]; entry++)
        visit(chunks.starts[chunk] + indices[entry], codebooks[LEVELS * tensor + codes[entry]]);
    }
  }
}

export function writeSparse(update: SparseUpdate, body: Uint8Array): void {
  const { chunks, entries, indices, codes, codebooks } = update;
  body.set(bytesOf(codebooks), 0);
  const bits = new BitWriter(body.subarray(codebooks.byteLength));
  for (let chunk = 0; chunk < chunks.count; chunk++) {
    const places = indices.subarray(entries[chunk], entries[chunk + 1]);
    bits.write(rankOf(places), rankBits(chunks.lengths[chunk], places.length));
  }
  for (const code of codes) bits.writeSmall(code, CODE_BITS);
}

/** The update in `body`, which has `sparseBodyBytes`; or the rule that it breaks. */
export function readSparse(layout: ParameterLayout, keep: number, body: Uint8Array): SparseUpdate | string {
  const chunks = tensorChunks(layout);
  const entries = entriesOf(chunks, keep);
  const codebooks = new Int32Array(aligned(body.subarray(0, codebookBytes(layout))));
  if (codebooks.includes(-MAX_VALUE - 1)) return `A codebook holds ${-MAX_VALUE - 1}, beyond ±${MAX_VALUE}.`;
  const bits = new BitReader(body.subarray(codebooks.byteLength));
  const indices = new Uint16Array(entries[chunks.count]);
  for (let chunk = 0; chunk < chunks.count; chunk++) {
    const [length, kept] = [chunks.lengths[chunk], entries[chunk + 1] - entries[chunk]];
    const rank = bits.read(rankBits(length, kept));
    if (rank >= binomial(length, kept)) return `Chunk ${chunk} has fewer sets of ${kept} parameters than that.`;
    placesOf(rank, length, kept, indices, entries[chunk]);
  }
  const codes = new Uint8Array(indices.length);
  for (let entry = 0; entry < codes.length; entry++) codes[entry] = bits.readSmall(CODE_BITS);
  if (!bits.restIsZero()) return 'A bit after the last entry is set.';
  return { kind: 'sparse', chunks, entries, indices, codes, codebooks };
}

const codebookBytes = (layout: ParameterLayout) => 4 * LEVELS * layout.tensors.length;

/** Where each chunk's entries begin, and at the end their number: `keep` of a whole chunk, its share (rounded up) of a short one. */
function entriesOf(chunks: Chunks, keep: number): Uint32Array {
  const entries = new Uint32Array(chunks.count + 1);
  for (let chunk = 0; chunk < chunks.count; chunk++)
    entries[chunk + 1] = entries[chunk] + Math.ceil((chunks.lengths[chunk] * keep) / CHUNK);
  return entries;
}

function select(change: Float32Array, chunks: Chunks, entries: Uint32Array): Uint16Array {
  const bits = new Uint32Array(change.buffer, change.byteOffset, change.length);
  const indices = new Uint16Array(entries[chunks.count]);
  for (let chunk = 0; chunk < chunks.count; chunk++) {
    const keep = entries[chunk + 1] - entries[chunk];
    topIndices(bits, chunks.starts[chunk], chunks.lengths[chunk], keep, indices, entries[chunk]);
  }
  return indices;
}

function gather(change: Float32Array, chunks: Chunks, entries: Uint32Array, indices: Uint16Array): Float32Array {
  const values = new Float32Array(indices.length);
  for (let chunk = 0; chunk < chunks.count; chunk++)
    for (let entry = entries[chunk]; entry < entries[chunk + 1]; entry++)
      values[entry] = change[chunks.starts[chunk] + indices[entry]];
  return values;
}

/** Fills `codes` and returns the codebook. Sums run in order, in double precision: every machine gets the same. */
function quantise(values: Float32Array, codes: Uint8Array): number[] {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  const mean = sum / values.length;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i] - mean) * (values[i] - mean);
  const step = (6 * Math.sqrt(squares / values.length)) / LEVELS;

  const sums = [0, 0, 0, 0];
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const level = step === 0 ? 2 : Math.max(0, Math.min(3, roundHalfAway((values[i] - mean) / step + 2)));
    codes[i] = level;
    sums[level] += values[i];
    counts[level]++;
  }
  return sums.map((total, level) => (counts[level] === 0 ? 0 : toUnits(total / counts[level])));
}
