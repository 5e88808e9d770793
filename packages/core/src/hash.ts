/** Names: every artifact, record and program is called by the sha-256 of its bytes. */
import { sha256Bytes } from '#crypto';
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
  const texts = [domain, ...parts].map(String);
  const bytes = new Uint8Array(texts.reduce((size, text) => size + 4 + text.length, 0));
  let at = 0;
  for (const text of texts) {
    if (text.length > 0xffff) return hashOfAny(texts);
    bytes[at + 2] = text.length >>> 8;
    bytes[at + 3] = text.length;
    at += 4;
    // Hashes and purposes are ASCII and short: writing them here takes a third of the time of an encoder for each.
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) return hashOfAny(texts);
      bytes[at++] = code;
    }
  }
  return sha256(bytes);
}

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
