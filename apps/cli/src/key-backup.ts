/** A member's keys in a file that may travel: encrypted with a passphrase, or in plain text. */
import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';
import { WorldError } from '@folkmoot/core';
import { type Identity, parseKeys, printKeys } from './identity.ts';

const FORMAT = 'folkmoot-keys-encrypted';
/**
 * RFC 7914 parameters of version 1: 128 MB and half a second for every guess. They are fixed by the version and not
 * read from the file, so that a hostile file cannot ask for more memory.
 */
const SCRYPT = { N: 2 ** 17, r: 8, p: 1, maxmem: 2 ** 28 };

/** The keys under `passphrase`: scrypt for the key, AES-256-GCM for the secrets, the ids readable and authenticated. */
export function encryptKeys(identity: Identity, passphrase: string): string {
  const salt = randomBytes(16);
  const nonce = randomBytes(12);
  const head = { format: FORMAT, version: 1, account: identity.account.id, device: identity.device.id };
  const cipher = createCipheriv('aes-256-gcm', keyOf(passphrase, salt), nonce);
  cipher.setAAD(Buffer.from(JSON.stringify(head)));
  const secret = Buffer.concat([cipher.update(printKeys(identity)), cipher.final()]);
  const body = { salt: hex(salt), nonce: hex(nonce), tag: hex(cipher.getAuthTag()), secret: hex(secret) };
  return `${JSON.stringify({ ...head, ...body }, null, 2)}\n`;
}

/** Whether a backup needs a passphrase. */
export function isEncrypted(text: string): boolean {
  return text.includes(FORMAT);
}

/**
 * The identity in a backup of either kind. `passphrase` is asked for only where the file is encrypted.
 *
 * Throws `backup-corrupt`, or `passphrase-wrong`: of a file that was changed after it was written nobody can tell which
 * of the two it is.
 */
export async function readBackup(text: string, passphrase: () => Promise<string>): Promise<Identity> {
  if (!isEncrypted(text)) return orCorrupt(() => parseKeys(text));
  const sealed = orCorrupt(() => parseSealed(text));
  const key = keyOf(await passphrase(), sealed.salt);
  return orCorrupt(() => parseKeys(unseal(sealed, key)));
}

interface Sealed {
  readonly head: Buffer;
  readonly salt: Buffer;
  readonly nonce: Buffer;
  readonly tag: Buffer;
  readonly secret: Buffer;
}

function parseSealed(text: string): Sealed {
  const { format, version, account, device, ...body } = JSON.parse(text) as Record<string, unknown>;
  if (version !== 1) throw new Error(`version ${version} is not known here`);
  return {
    head: Buffer.from(JSON.stringify({ format, version, account, device })),
    salt: bytesOf(body, 'salt', 16),
    nonce: bytesOf(body, 'nonce', 12),
    tag: bytesOf(body, 'tag', 16),
    secret: bytesOf(body, 'secret'),
  };
}

function unseal({ head, nonce, tag, secret }: Sealed, key: Buffer): string {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
  decipher.setAAD(head).setAuthTag(tag);
  try {
    return Buffer.concat([decipher.update(secret), decipher.final()]).toString('utf8');
  } catch (cause) {
    throw new WorldError('passphrase-wrong', 'The passphrase does not open this backup.', {
      help: 'Type it again. If it is right, the file was changed since it was written: use another copy.',
      cause,
    });
  }
}

/** The same text typed on another keyboard may come decomposed: NFKC makes it one. */
function keyOf(passphrase: string, salt: Buffer): Buffer {
  return scryptSync(passphrase.normalize('NFKC'), salt, 32, SCRYPT);
}

function orCorrupt<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof WorldError) throw cause;
    throw new WorldError('backup-corrupt', 'This file is not a whole backup of keys.', {
      facts: { found: (cause as Error).message },
      help: 'Use another copy, or check that the file is one that "folkmoot keys backup" wrote.',
      cause,
    });
  }
}

function bytesOf(body: Record<string, unknown>, name: string, length?: number): Buffer {
  const text = body[name];
  if (typeof text !== 'string' || !/^([0-9a-f]{2}){1,4096}$/.test(text)) throw new Error(`${name} is missing`);
  if (length !== undefined && text.length !== 2 * length) throw new Error(`${name} is not ${length} bytes long`);
  return Buffer.from(text, 'hex');
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
