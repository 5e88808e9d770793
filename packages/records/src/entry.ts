/** Log entries: the sequencer's signature puts records in order and in time. */
import {
  type Canonical,
  canonicalBytes,
  type DeviceId,
  type DeviceKey,
  type Hash,
  sha256,
  signBytes,
  verifyBytes,
} from '@folkmoot/core';
import { z } from 'zod';
import { hash, natural, signature } from './fields.ts';
import {
  type Checked,
  canonicalOrNone,
  firstIssue,
  MAX_RECORD_BYTES,
  parseJson,
  recordSchema,
  type VerifiedRecord,
  verifyRecord,
} from './record.ts';

/** A record with its envelope. */
export const MAX_ENTRY_BYTES = MAX_RECORD_BYTES + 1024;

const entrySchema = z.strictObject({
  index: natural,
  prev: hash,
  atMs: natural,
  record: z.strictObject({ body: recordSchema, signature }),
  signature,
});

/** An entry whose signatures were both checked. */
export interface Entry {
  readonly id: Hash;
  readonly index: number;
  /** Id of the entry before; the run id at first. */
  readonly prev: Hash;
  /** The sequencer's time, never going back. */
  readonly atMs: number;
  readonly record: VerifiedRecord;
  readonly signature: string;
}

/** Puts `record` at the end of a log whose last entry is `prev`. */
export function signEntry(
  place: { index: number; prev: Hash; atMs: number },
  record: VerifiedRecord,
  key: DeviceKey,
): Entry {
  const bytes = entryBody(place.index, place.prev, place.atMs, record);
  return { id: sha256(bytes), ...place, record, signature: signBytes(key, bytes) };
}

/** Checks an entry from the network or from disk: shape, the record's signature, the sequencer's. */
export function verifyEntry(value: unknown, sequencer: DeviceId): Checked<Entry> {
  const parsed = entrySchema.safeParse(value);
  if (!parsed.success) return { ok: false, reason: `not a log entry: ${firstIssue(parsed.error)}` };
  const record = verifyRecord(parsed.data.record);
  if (!record.ok) return record;
  const { index, prev, atMs, signature } = parsed.data;
  if (!canonicalOrNone([index, atMs])) return { ok: false, reason: 'the entry has no canonical form' };
  const bytes = entryBody(index, prev, atMs, record.value);
  if (!verifyBytes(sequencer, bytes, signature))
    return { ok: false, reason: 'the entry is not signed by the sequencer' };
  return { ok: true, value: { id: sha256(bytes), index, prev, atMs, record: record.value, signature } };
}

export function parseEntry(bytes: Uint8Array, sequencer: DeviceId): Checked<Entry> {
  const json = parseJson(bytes, MAX_ENTRY_BYTES);
  return json.ok ? verifyEntry(json.value, sequencer) : json;
}

export function entryBytes(entry: Entry): Uint8Array {
  const { index, prev, atMs, record, signature } = entry;
  return canonicalBytes({
    index,
    prev,
    atMs,
    record: { body: record.body as Canonical, signature: record.signature },
    signature,
  });
}

// The record's signature is covered too, so that no two entries with one id differ in any byte.
function entryBody(index: number, prev: Hash, atMs: number, record: VerifiedRecord): Uint8Array {
  return canonicalBytes({
    index,
    prev,
    atMs,
    run: record.body.run,
    record: record.id,
    recordSignature: record.signature,
  });
}
