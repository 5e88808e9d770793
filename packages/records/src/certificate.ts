/**
 * Certificates: a quorum of electors has signed one header in one term. Portable: whoever knows the electors can check
 * it without the log.
 */
import { type DeviceId, verifyBytes } from '@folkmoot/core';
import type { z } from 'zod';
import { certificateSchema } from './certificate-schema.ts';
import { type Header, headerId } from './header.ts';
import { type Checked, canonicalOrNone, firstIssue, type RecordOf, type VerifiedRecord } from './record.ts';

export { certificateSchema, MAX_ELECTORS } from './certificate-schema.ts';

export type Certificate = z.infer<typeof certificateSchema>;
type SigningRecord = RecordOf<'header'> | RecordOf<'seal'>;

/**
 * How many of `electors` decide: more than two thirds. Of three, two: there safety holds through crashes and partitions,
 * and not against a liar, or one member's absence would end the run.
 */
export function quorumOf(electors: number): number {
  return electors === 3 ? 2 : Math.floor((2 * electors) / 3) + 1;
}

/** Puts the records of several devices, which say the same of one header in one term, into a certificate. */
export function certificateOf(header: Header, records: readonly VerifiedRecord<SigningRecord>[]): Certificate {
  const [first] = records;
  if (!first) throw new RangeError('a certificate has signers');
  const signers = records.map(({ body, signature }) => {
    const preimage = body.kind === 'header' ? body.preimage : null;
    return { device: body.device, seq: body.seq, seen: body.seen, preimage, signature };
  });
  return { kind: first.body.kind, term: first.body.term, header, signers };
}

/** The reason why `value` is no certificate by a quorum of `electors`; or the certificate. Costs one check a signer. */
export function verifyCertificate(value: unknown, electors: readonly DeviceId[]): Checked<Certificate> {
  const parsed = certificateSchema.safeParse(value);
  if (!parsed.success) return { ok: false, reason: `not a certificate: ${firstIssue(parsed.error)}` };
  const certificate = parsed.data;
  const devices = new Set(certificate.signers.map(({ device }) => device));
  if (devices.size !== certificate.signers.length) return { ok: false, reason: 'a device has signed twice' };
  if (![...devices].every((device) => electors.includes(device)))
    return { ok: false, reason: 'a signer is no elector' };
  if (devices.size < quorumOf(electors.length)) return { ok: false, reason: 'too few have signed' };
  for (const signer of certificate.signers) {
    const bytes = signedBytes(certificate, signer);
    if (!bytes || !verifyBytes(signer.device, bytes, signer.signature))
      return { ok: false, reason: 'a signature is not its device’s' };
  }
  return { ok: true, value: certificate };
}

/** The bytes of the record that the signer signed. */
function signedBytes(certificate: Certificate, signer: Certificate['signers'][number]): Uint8Array | undefined {
  const { kind, term, header } = certificate;
  const { device, seq, seen, preimage } = signer;
  const common = { kind, run: header.run, round: header.round, base: header.base, device, seq, seen, term };
  // Whatever the signatures do not cover must not vary: one certificate has one form.
  if ((preimage === null) !== (kind === 'seal')) return undefined;
  return canonicalOrNone(
    kind === 'seal' ? { ...common, header: headerId(header), prev: header.prev } : { ...common, header, preimage },
  );
}
