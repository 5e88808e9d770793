/** An account's word for a device on another machine, as one line of text. The account's key never leaves its own. */
import {
  type AccountId,
  canonicalJson,
  type DeviceId,
  fromUtf8,
  type Hash,
  utf8,
  vouchingAccount,
  WorldError,
} from '@folkmoot/core';
import { z } from 'zod';
import { account, device, hash } from './fields.ts';

const vouchSchema = z.strictObject({ run: hash, account, device, vouch: z.string().regex(/^[0-9a-f]{130}$/) });

export interface DeviceVouch {
  readonly run: Hash;
  readonly account: AccountId;
  readonly device: DeviceId;
  /** EIP-712, see `vouchForDevice`. */
  readonly vouch: string;
}

const PREFIX = 'folkmoot-device1-';

export function formatVouch({ run, account, device, vouch }: DeviceVouch): string {
  const letters = btoa(String.fromCharCode(...utf8(canonicalJson({ run, account, device, vouch }))));
  return PREFIX + letters.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** Throws `vouch-malformed` on anything that `formatVouch` did not make, or whose signature is another's. */
export function parseVouch(text: string): DeviceVouch {
  const help = 'Copy the whole line that "folkmoot keys add" printed on the machine that has the account.';
  const trimmed = text.trim();
  if (trimmed.length > 2048 || !trimmed.startsWith(PREFIX))
    throw new WorldError('vouch-malformed', 'This is not an account’s word for a device.', { help });
  try {
    const base64 = trimmed.slice(PREFIX.length).replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const parsed = vouchSchema.parse(JSON.parse(fromUtf8(bytes)));
    if (vouchingAccount(parsed.device, parsed.run, parsed.vouch) !== parsed.account)
      throw new Error('the signature is not the account’s');
    return parsed;
  } catch (cause) {
    throw new WorldError('vouch-malformed', 'This word for a device is damaged or cut off.', { help, cause });
  }
}
