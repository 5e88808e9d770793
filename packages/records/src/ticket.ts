/**
 * Tickets: what lets a stranger into a run that is not open to everybody.
 *
 * A member signs a ticket that names a key, and gives the key's secret away in an invite. Whoever joins shows the ticket
 * and signs its own device with that secret, so that nobody who reads the log, nor the sequencer on the way, can use
 * the ticket for another device.
 */
import {
  type AccountId,
  type Canonical,
  canonicalBytes,
  type DeviceId,
  type DeviceKey,
  deviceKey,
  type Hash,
  type Signature,
  signBytes,
  verifyBytes,
} from '@folkmoot/core';
import { z } from 'zod';
import { account, count, device, hash, natural, signature } from './fields.ts';

export const ticketSchema = z.strictObject({
  kind: z.literal('ticket'),
  run: hash,
  /** The device that signs. */
  issuer: device,
  /** Ed25519 public key whose secret the invite carries; also the ticket's name. */
  key: device,
  /** Accounts that it lets in, all in all. */
  uses: count(65_536),
  /** By the log's time, milliseconds since 1970. */
  untilMs: natural,
  /** Where it is for certain accounts only. */
  accounts: z.array(account).min(1).max(32).optional(),
});

export type Ticket = z.infer<typeof ticketSchema>;

/** What a `join` shows beside the account's vouch. */
export const admissionSchema = z.strictObject({
  ticket: ticketSchema,
  /** The issuer's, over the ticket. */
  signature,
  /** The ticket key's, over the joining device. */
  claim: signature,
});

export type Admission = z.infer<typeof admissionSchema>;

/** A ticket as an invite carries it. */
export const invitedSchema = z.strictObject({ ticket: ticketSchema, signature, secret: hash });

export interface Invited {
  readonly ticket: Ticket;
  readonly signature: Signature;
  /** 32 bytes in hexadecimal: whoever has it may use the ticket. */
  readonly secret: Hash;
}

/** Issues a ticket whose key has the 32-byte `secret`. */
export function issueTicket(
  issuer: DeviceKey,
  secret: Uint8Array,
  terms: { run: Hash; uses: number; untilMs: number; accounts?: readonly AccountId[] },
): { ticket: Ticket; signature: Signature } {
  const { accounts, ...rest } = terms;
  const ticket: Ticket = {
    kind: 'ticket',
    ...rest,
    issuer: issuer.id,
    key: deviceKey(secret).id,
    ...(accounts && { accounts: [...accounts] }),
  };
  return { ticket, signature: signBytes(issuer, canonicalBytes(ticket as Canonical)) };
}

/** Uses a ticket for `joiner`. `secret`: the ticket key's 32 bytes. */
export function claimTicket(
  { ticket, signature }: { ticket: Ticket; signature: Signature },
  secret: Uint8Array,
  joiner: DeviceId,
): Admission {
  return { ticket, signature, claim: signBytes(deviceKey(secret), claimBytes(ticket.run, joiner)) };
}

/** Whether the issuer signed the ticket and the ticket's key the device. Says nothing of the issuer's right to do so. */
export function isGenuine({ ticket, signature, claim }: Admission, joiner: DeviceId): boolean {
  return (
    verifyBytes(ticket.key, claimBytes(ticket.run, joiner), claim) &&
    verifyBytes(ticket.issuer, canonicalBytes(ticket as Canonical), signature)
  );
}

/** The issuer takes a ticket back: its signature over this. */
export function withdrawalBytes(run: Hash, key: DeviceId): Uint8Array {
  return canonicalBytes({ kind: 'ticket-withdrawal', run, key });
}

function claimBytes(run: Hash, joiner: DeviceId): Uint8Array {
  return canonicalBytes({ kind: 'ticket-claim', run, device: joiner });
}
