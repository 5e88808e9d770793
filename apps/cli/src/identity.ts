/** The member's keys in its home: an account that owns credits, a device that signs records. */
import { randomBytes, randomUUID } from 'node:crypto';
import { type FileHandle, link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type AccountKey, accountKey, type DeviceKey, deviceKey, fromHex, toHex, WorldError } from '@folkmoot/core';

export interface Identity {
  readonly account: AccountKey;
  readonly device: DeviceKey;
}

export function keysPath(home: string): string {
  return join(home, 'keys.json');
}

/**
 * The identity that lives in `home`, made there at first need.
 *
 * Two processes that start at once get the same one. Throws `keys-corrupt`, or `home-unusable` where the folder cannot
 * be made, read or written.
 */
export async function openIdentity(home: string): Promise<Identity> {
  const existing = await readIdentity(home);
  if (existing !== undefined) return existing;
  const made = newIdentity();
  if (await createKeys(keysPath(home), made)) return made;
  return (await readIdentity(home))!;
}

/** The identity in `home`, or `undefined` where there is none. Throws as `openIdentity`. */
export async function readIdentity(home: string): Promise<Identity | undefined> {
  const path = keysPath(home);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw homeUnusable(path, error);
  });
  if (text === undefined) return undefined;
  try {
    return parseKeys(text);
  } catch (cause) {
    throw new WorldError('keys-corrupt', 'The key file cannot be read as keys.', {
      facts: { file: path, found: (cause as Error).message },
      help: 'Move the file away and run "folkmoot keys restore BACKUP", or start with new keys and an empty account.',
      cause,
    });
  }
}

/**
 * Puts `identity` in `home`, in the place of any other; keys that stood there stay in a file beside it.
 *
 * Returns the path of that file. Throws `home-unusable`.
 */
export async function replaceIdentity(home: string, identity: Identity): Promise<string | undefined> {
  const path = keysPath(home);
  const aside = join(home, `keys.replaced-${new Date().toISOString().replace(/\D/g, '')}.json`);
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw homeUnusable(path, error as Error);
    await createKeys(path, identity);
    return undefined;
  }
  await createKeys(path, identity);
  return aside;
}

/** The keys as text: version 1, 32-byte secrets in hexadecimal, and the ids for whoever opens the file. */
export function printKeys(identity: Identity): string {
  const keys = {
    format: 'folkmoot-keys',
    version: 1,
    account: { id: identity.account.id, secret: toHex(identity.account.secret) },
    device: { id: identity.device.id, secret: toHex(identity.device.secret) },
  };
  return `${JSON.stringify(keys, null, 2)}\n`;
}

/** The reverse of `printKeys`. Throws an `Error` that says what is wrong. */
export function parseKeys(text: string): Identity {
  const keys: unknown = JSON.parse(text);
  if (field(keys, 'format') !== 'folkmoot-keys') throw new Error('it does not say "folkmoot-keys"');
  if (field(keys, 'version') !== 1) throw new Error(`version ${field(keys, 'version')} is not known here`);
  const account = accountKey(secretOf(keys, 'account'));
  const device = deviceKey(secretOf(keys, 'device'));
  // A changed secret would silently be another member.
  if (account.id !== field(field(keys, 'account'), 'id')) throw new Error('the account id is not that of its secret');
  if (device.id !== field(field(keys, 'device'), 'id')) throw new Error('the device id is not that of its secret');
  return { account, device };
}

function newIdentity(): Identity {
  return { account: accountKey(accountSecret()), device: deviceKey(new Uint8Array(randomBytes(32))) };
}

/** Nearly every 32 bytes are a secp256k1 secret; the exceptions throw. */
function accountSecret(): Uint8Array {
  for (;;) {
    const secret = new Uint8Array(randomBytes(32));
    try {
      accountKey(secret);
      return secret;
    } catch {}
  }
}

function secretOf(keys: unknown, name: string): Uint8Array {
  const secret = field(field(keys, name), 'secret');
  if (typeof secret !== 'string' || !/^[0-9a-f]{64}$/.test(secret)) throw new Error(`the ${name} secret is missing`);
  return fromHex(secret);
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** Writes the key file whole, readable by its owner alone. `false` where another process was first. */
async function createKeys(path: string, identity: Identity): Promise<boolean> {
  const draft = `${path}.${randomUUID()}`;
  let file: FileHandle | undefined;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    file = await open(draft, 'wx', 0o600);
    await file.writeFile(printKeys(identity));
    await file.sync();
    // A link, unlike a rename, fails where the name is taken.
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && file !== undefined) return false;
    throw homeUnusable(path, error as Error);
  } finally {
    await file?.close();
    await rm(draft, { force: true });
  }
}

function homeUnusable(path: string, cause: Error): WorldError {
  return new WorldError('home-unusable', "This member's folder cannot be used.", {
    facts: { file: path, found: cause.message },
    help: 'Give another folder with --home DIR, or make this one readable and writable.',
    cause,
  });
}
