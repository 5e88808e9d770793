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
import { count, device, hash, natural, signature } from './fields.ts';
import {
  type Checked,
  canonicalOrNone,
  firstIssue,
  MAX_RECORD_BYTES,
  parseJson,
  recordId,
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
  term: count(Number.MAX_SAFE_INTEGER),
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
  /** The sequencer's term of office, from 1, never going back. */
  readonly term: number;
  readonly record: VerifiedRecord;
  readonly signature: string;
}

/** Where an entry stands. */
export type Place = Pick<Entry, 'index' | 'prev' | 'atMs' | 'term'>;

/** Puts `record` at the end of a log whose last entry is `prev`. */
export function signEntry(place: Place, record: VerifiedRecord, key: DeviceKey): Entry {
  const bytes = envelopeBytes({ ...place, run: record.body.run, record: record.id, recordSignature: record.signature });
  return { id: sha256(bytes), ...place, record, signature: signBytes(key, bytes) };
}

/** Checks an entry from the network or from disk: shape, the record's signature, the sequencer's. */
export function verifyEntry(value: unknown, sequencer: DeviceId): Checked<Entry> {
  const parsed = entrySchema.safeParse(value);
  if (!parsed.success) return { ok: false, reason: `not a log entry: ${firstIssue(parsed.error)}` };
  const record = verifyRecord(parsed.data.record);
  if (!record.ok) return record;
  const { index, prev, atMs, term, signature } = parsed.data;
  if (!canonicalOrNone([index, atMs, term])) return { ok: false, reason: 'the entry has no canonical form' };
  const { id, body, signature: recordSignature } = record.value;
  const bytes = envelopeBytes({ index, prev, atMs, term, run: body.run, record: id, recordSignature });
  if (!verifyBytes(sequencer, bytes, signature))
    return { ok: false, reason: 'the entry is not signed by the sequencer' };
  return { ok: true, value: { id: sha256(bytes), index, prev, atMs, term, record: record.value, signature } };
}

/** The id of an entry that was checked before; `undefined` where `value` is none. */
export function entryIdOf(value: unknown): Hash | undefined {
  const parsed = entrySchema.safeParse(value);
  if (!parsed.success) return undefined;
  const { index, prev, atMs, term, record } = parsed.data;
  const { run } = record.body;
  const recordSignature = record.signature;
  return sha256(envelopeBytes({ index, prev, atMs, term, run, record: recordId(record.body), recordSignature }));
}

/** An entry that was checked before, from its own form in memory: signatures are not looked at again. */
export function recallEntry(value: unknown): Entry {
  const { index, prev, atMs, term, record: said, signature } = value as Entry;
  const record = { ...said, id: recordId(said.body) };
  const place = { index, prev, atMs, term };
  const bytes = envelopeBytes({ ...place, run: said.body.run, record: record.id, recordSignature: said.signature });
  return { id: sha256(bytes), ...place, record, signature };
}

export function parseEntry(bytes: Uint8Array, sequencer: DeviceId): Checked<Entry> {
  const json = parseJson(bytes, MAX_ENTRY_BYTES);
  return json.ok ? verifyEntry(json.value, sequencer) : json;
}

export function entryBytes(entry: Entry): Uint8Array {
  const { index, prev, atMs, term, record, signature } = entry;
  return canonicalBytes({
    index,
    prev,
    atMs,
    term,
    record: { body: record.body as Canonical, signature: record.signature },
    signature,
  });
}

const envelopeSchema = z.strictObject({
  index: natural,
  prev: hash,
  atMs: natural,
  term: count(Number.MAX_SAFE_INTEGER),
  run: hash,
  record: hash,
  recordSignature: signature,
});

/** What a sequencer signs of an entry: enough to prove that it signed two at one place, without what they say. */
export type Envelope = z.infer<typeof envelopeSchema>;

const sealedEnvelopeSchema = z.strictObject({ envelope: envelopeSchema, device, signature });
/** An envelope, who signed it, and the signature. */
export type SealedEnvelope = z.infer<typeof sealedEnvelopeSchema>;

/** The envelope of an entry that `device` has signed. */
export function envelopeOf(entry: Entry, device: DeviceId): SealedEnvelope {
  const { index, prev, atMs, term, record, signature } = entry;
  const { run } = record.body;
  return {
    envelope: { index, prev, atMs, term, run, record: record.id, recordSignature: record.signature },
    device,
    signature,
  };
}

/** Checks an envelope from the network: shape and signature. */
export function verifyEnvelope(value: unknown): Checked<SealedEnvelope & { readonly id: Hash }> {
  const parsed = sealedEnvelopeSchema.safeParse(value);
  if (!parsed.success) return { ok: false, reason: `not an envelope: ${firstIssue(parsed.error)}` };
  const { envelope, device, signature } = parsed.data;
  if (!canonicalOrNone(envelope)) return { ok: false, reason: 'the envelope has no canonical form' };
  const bytes = envelopeBytes(envelope);
  if (!verifyBytes(device, bytes, signature)) return { ok: false, reason: 'the signature is not the device’s' };
  return { ok: true, value: { ...parsed.data, id: sha256(bytes) } };
}

// The record's signature is covered too, so that no two entries with one id differ in any byte.
function envelopeBytes({ index, prev, atMs, term, run, record, recordSignature }: Envelope): Uint8Array {
  return canonicalBytes({ index, prev, atMs, term, run, record, recordSignature });
}
