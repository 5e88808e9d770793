/**
 * Leases: a trainer’s signed sign of life, with its progress. They travel beside the log, and reach it only in a `lapse`.
 *
 * A lease shows a link of the trace by its mark, a hash of it: whoever shows the link later has re-executed the segments,
 * or trained them. A lease is no record: it has a kind of its own inside the signature, and no place in the log.
 */
import {
  type Canonical,
  canonicalBytes,
  type DeviceKey,
  type Hash,
  hashOf,
  signBytes,
  verifyBytes,
} from '@folkmoot/core';
import { z } from 'zod';
import { count, device, hash, natural, signature } from './fields.ts';

/** Largest lease on the wire. */
export const MAX_LEASE_BYTES = 1024;

const bodySchema = z.strictObject({
  kind: z.literal('lease'),
  run: hash,
  round: natural,
  base: hash,
  device,
  seat: natural,
  /** Grows with each lease of a round: an old one shown again is no sign of life. */
  beat: natural,
  /** Segments whose end has been reached; 0 at first. */
  segment: z.int().min(0).max(100_000),
  /** `leaseMark` of link `segment`. */
  mark: hash,
});

export type LeaseBody = z.infer<typeof bodySchema>;

export const leaseSchema = z.strictObject({ body: bodySchema, signature });

/** A lease from the network or from a record: its shape is checked, its signature is not. */
export type Lease = z.infer<typeof leaseSchema>;

/** A lease as another tells it, with how long it has held it: what is told late is no later sign of life. */
export const heldLeaseSchema = z.strictObject({ lease: leaseSchema, ageMs: natural });

/** What a `lapse` says: of which trainers no lease has come for the charter’s time, and the last that did come. */
export const lapseFields = {
  seats: z
    .array(z.strictObject({ trainer: device, lease: leaseSchema.nullable() }))
    .min(1)
    .max(64),
};

/** What a `reproduced` says: the link that the lease’s mark stands for, or that another one came out. */
export const reproducedFields = { trainer: device, segment: count(100_000), link: hash.nullable() };

/** What a lease shows of a link. */
export function leaseMark(link: Hash): Hash {
  return hashOf('lease-mark', link);
}

/** Signs `body` with the key of `body.device`. Throws `RangeError` where the key is another’s. */
export function signLease(body: LeaseBody, key: DeviceKey): Lease {
  if (body.device !== key.id) throw new RangeError('a lease is signed by the device that it names');
  return { body, signature: signBytes(key, canonicalBytes(body as Canonical)) };
}

/** Whether the device that a lease names has signed it. False, never a throw. */
export function isSignedLease({ body, signature }: Lease): boolean {
  return verifyBytes(body.device, canonicalBytes(body as Canonical), signature);
}
