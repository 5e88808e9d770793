/** Invites: one line of text with which a stranger finds a run. */
import { type Canonical, canonicalJson, fromUtf8, type Hash, utf8, WorldError } from '@folkmoot/core';
import { z } from 'zod';
import { hash, label } from './fields.ts';
import { type Invited, invitedSchema } from './ticket.ts';

const inviteSchema = z.strictObject({
  run: hash,
  name: label(64),
  /** Multiaddresses of members, the sequencer's first. */
  addresses: z.array(z.string().min(1).max(256)).min(1).max(16),
  /** The newest header when the invite was made: a log that does not contain it is another. */
  header: hash,
  /** What lets the joiner in, where the run asks for it. */
  ticket: invitedSchema.optional(),
  /** HTTP addresses from which artifacts can be had too. */
  mirrors: z.array(z.string().min(1).max(256)).max(4).optional(),
});

export interface Invite {
  readonly run: Hash;
  readonly name: string;
  readonly addresses: readonly string[];
  readonly header: Hash;
  readonly ticket?: Invited;
  readonly mirrors?: readonly string[];
}

const PREFIX = 'folkmoot1-';
const MAX_LETTERS = 16_384;

export function formatInvite(invite: Invite): string {
  const bytes = utf8(canonicalJson(invite as unknown as Canonical));
  return (
    PREFIX +
    btoa(String.fromCharCode(...bytes))
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .replace(/=+$/, '')
  );
}

/** Throws `invite-malformed` on anything that `formatInvite` did not make. */
export function parseInvite(text: string): Invite {
  const help = 'Copy the whole line that starts with folkmoot1- from the member who invited you.';
  const trimmed = text.trim();
  if (trimmed.length > MAX_LETTERS || !trimmed.startsWith(PREFIX))
    throw new WorldError('invite-malformed', 'This is not a Folkmoot invite.', { help });
  try {
    const base64 = trimmed.slice(PREFIX.length).replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    return inviteSchema.parse(JSON.parse(fromUtf8(bytes)));
  } catch (cause) {
    throw new WorldError('invite-malformed', 'This invite is damaged or cut off.', { help, cause });
  }
}
