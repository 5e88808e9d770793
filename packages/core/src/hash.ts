/** Names: every artifact, record and program is called by the sha-256 of its bytes. */
import { sha256Bytes, sha256Text } from '#crypto';
import { concat, fromHex, toHex, utf8 } from './bytes.ts';

/** sha-256 as 64 lower-case hexadecimal digits. */
export type Hash = string;

export const HASH_PATTERN = /^[0-9a-f]{64}$/;

export function isHash(value: unknown): value is Hash {
  return typeof value === 'string' && HASH_PATTERN.test(value);
}

export function sha256(...parts: Uint8Array[]): Hash {
  return toHex(sha256Bytes(...parts));
}

/**
 * Hash of a purpose and a list of hashes or short texts.
 *
 * The domain keeps one use from being mistaken for another; every part is preceded by its length, so no two
 * different lists give the same bytes.
 */
export function hashOf(domain: string, ...parts: (Hash | string | number)[]): Hash {
  let text = '';
  for (const part of [domain, ...parts]) {
    const word = String(part);
    if (word.length > 127) return hashOfAny([domain, ...parts].map(String));
    text += `\0\0\0${String.fromCharCode(word.length)}${word}`;
  }
  // ASCII is its own UTF-8, so one text takes the place of many small arrays: a third of the time.
  return ASCII.test(text) ? sha256Text(text) : hashOfAny([domain, ...parts].map(String));
}

const ASCII = /^[\0-\x7f]*$/;

/** The same for texts in any alphabet and of any length. */
function hashOfAny(texts: readonly string[]): Hash {
  const chunks = texts.map(utf8);
  const prefix = (length: number) => Uint8Array.of(length >>> 24, length >>> 16, length >>> 8, length);
  return sha256(concat(chunks.flatMap((chunk) => [prefix(chunk.length), chunk])));
}

/** `sha256(bytes of hash)`: one link of a hash chain. */
export function hashLink(hash: Hash): Hash {
  return sha256(fromHex(hash));
}
