/** A link of a pedigree: one finished round, with who could seal it and who did. */
import { type Canonical, canonicalBytes, type DeviceId, type Hash, sha256 } from '@folkmoot/core';
import { z } from 'zod';
import type { Certificate } from './certificate.ts';
import { certificateSchema, MAX_ELECTORS } from './certificate-schema.ts';
import { device } from './fields.ts';
import { type Checked, firstIssue, type SignedRecord } from './record.ts';

export interface PedigreeLink {
  readonly certificate: Certificate;
  /** All whom the header before it names, in its order. */
  readonly electors: readonly DeviceId[];
  /** Of each elector that was counted out meanwhile: the record that did it, and with a `revoke` the device's `join`. */
  readonly gone: readonly (readonly SignedRecord[])[];
}

const linkSchema = z.strictObject({
  certificate: certificateSchema,
  electors: z.array(device).min(1).max(MAX_ELECTORS),
  // Each is read as a record before anything is made of it.
  gone: z.array(z.array(z.unknown()).min(1).max(2)).max(MAX_ELECTORS),
});

/** Checks the shape, and no signature. */
export function pedigreeLinkIn(value: unknown): Checked<z.infer<typeof linkSchema>> {
  const parsed = linkSchema.safeParse(value);
  return parsed.success
    ? { ok: true, value: parsed.data }
    : { ok: false, reason: `not a link: ${firstIssue(parsed.error)}` };
}

/** sha-256 of the canonical bytes. */
export function pedigreeLinkId(link: PedigreeLink): Hash {
  return sha256(canonicalBytes(link as unknown as Canonical));
}
