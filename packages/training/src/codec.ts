/**
 * Updates: the compressed change that a trainer offers.
 *
 * Artifact: 12 bytes of header (`FMUP`, version, codec, two zero bytes, N as little-endian uint32), then the codec's body.
 * Its layout follows from the charter's codec and the model's tensors, so it carries no names and every update of a run
 * has the same size. All arithmetic is float32 or double in a fixed order, without an engine: encoding the same states
 * gives the same bytes everywhere.
 */
import { assert, utf8 } from '@folkmoot/core';
import type { ParameterLayout } from '@folkmoot/model';
import type { CodecRules } from '@folkmoot/records';
import { hasNonFinite, packBfloat16, unpackBfloat16 } from './bfloat16.ts';
import { type DenseUpdate, denseBodyBytes, encodeDense, readDense, writeDense } from './codec-dense.ts';
import { encodeSparse, readSparse, type SparseUpdate, sparseBodyBytes, writeSparse } from './codec-sparse.ts';

const MAGIC = utf8('FMUP');
const VERSION = 1;
const HEADER_BYTES = 12;
/** 2 was a sparse codec with 12 bits for each place. */
const CODEC_NUMBER = { dense: 1, sparse: 3 } as const;

/** A decoded update: see `DenseUpdate`, `SparseUpdate`. Its values are in UNITs of base − end. */
export type Update = DenseUpdate | SparseUpdate;

/** What a round's end is encoded from: arenas of N elements. */
export interface RoundResult {
  readonly base: Float32Array;
  readonly end: Float32Array;
  /** bfloat16. */
  readonly errorIn: Uint16Array;
}

export type Encoded =
  | { readonly ok: true; readonly bytes: Uint8Array; readonly errorOut: Uint16Array }
  | { readonly ok: false; readonly reason: string };

export type Decoded = { readonly ok: true; readonly update: Update } | { readonly ok: false; readonly reason: string };

/** Bytes of an update: all updates of a run have exactly this size. */
export function maxUpdateBytes(rules: CodecRules, layout: ParameterLayout): number {
  return HEADER_BYTES + (rules.kind === 'dense' ? denseBodyBytes(layout) : sparseBodyBytes(layout, rules.keep));
}

/**
 * The update of a round, and the error memory that it leaves (zeros for `dense`).
 *
 * Not `ok` where a NaN or an infinity is in any arena or comes out: training has diverged.
 */
export function encodeUpdate(rules: CodecRules, layout: ParameterLayout, result: RoundResult): Encoded {
  for (const arena of [result.base, result.end, result.errorIn])
    assert(arena.length === layout.elements, 'arenas have the size of the layout');
  const change = changeOf(rules, result);
  if (hasNonFinite(change)) return { ok: false, reason: 'The change of this round is not finite.' };
  const bytes = new Uint8Array(maxUpdateBytes(rules, layout));
  bytes.set(headerOf(rules, layout));
  const body = bytes.subarray(HEADER_BYTES);
  if (rules.kind === 'dense') {
    writeDense(encodeDense(layout, change), body);
    return { ok: true, bytes, errorOut: new Uint16Array(layout.elements) };
  }
  writeSparse(encodeSparse(layout, rules.keep, change), body);
  const errorOut = packBfloat16(change);
  return hasNonFinite(errorOut)
    ? { ok: false, reason: 'The error memory of this round is not finite.' }
    : { ok: true, bytes, errorOut };
}

/** Reads an update from a stranger: size first, then every field, before anything is believed. */
export function decodeUpdate(rules: CodecRules, layout: ParameterLayout, bytes: Uint8Array): Decoded {
  const expected = maxUpdateBytes(rules, layout);
  if (bytes.length !== expected)
    return { ok: false, reason: `The update has ${bytes.length} bytes where this run's have ${expected}.` };
  const header = headerOf(rules, layout);
  if (!header.every((byte, i) => byte === bytes[i]))
    return { ok: false, reason: `The header is not that of a ${rules.kind} update of ${layout.elements} parameters.` };
  const body = bytes.subarray(HEADER_BYTES);
  const update = rules.kind === 'dense' ? readDense(layout, body) : readSparse(layout, rules.keep, body);
  return typeof update === 'string' ? { ok: false, reason: update } : { ok: true, update };
}

/** base − end, plus the decayed error memory where the codec has one. */
function changeOf(rules: CodecRules, { base, end, errorIn }: RoundResult): Float32Array {
  if (rules.kind === 'dense') {
    const change = new Float32Array(base.length);
    for (let i = 0; i < change.length; i++) change[i] = base[i] - end[i];
    return change;
  }
  const decay = Number(rules.errorDecay);
  const change = unpackBfloat16(errorIn);
  for (let i = 0; i < change.length; i++) change[i] = decay * change[i] + Math.fround(base[i] - end[i]);
  return change;
}

function headerOf(rules: CodecRules, layout: ParameterLayout): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  header.set(MAGIC);
  header[4] = VERSION;
  header[5] = CODEC_NUMBER[rules.kind];
  new DataView(header.buffer).setUint32(8, layout.elements, true);
  return header;
}
