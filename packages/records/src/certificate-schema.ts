/** The shape of a certificate: signatures of many devices on one header. */
import { z } from 'zod';
import { count, device, hash, signature } from './fields.ts';
import { headerSchema } from './header.ts';

/** Most devices that sign a header: votes of them all fit a record. */
export const MAX_ELECTORS = 16;

/** What a signature covers beside the header: the rest of the signer's record. */
const signerSchema = z.strictObject({
  device,
  seq: count(Number.MAX_SAFE_INTEGER),
  seen: z.strictObject({ index: z.int().min(-1).max(Number.MAX_SAFE_INTEGER), id: hash }),
  /** Shown with a `header` record; null with a `seal`. */
  preimage: hash.nullable(),
  signature,
});

export const certificateSchema = z.strictObject({
  /** `header`: signed as the end of a round. `seal`: signed by those who saw a quorum sign it, and final. */
  kind: z.enum(['header', 'seal']),
  term: count(Number.MAX_SAFE_INTEGER),
  header: headerSchema,
  signers: z.array(signerSchema).max(MAX_ELECTORS),
});
