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
  const chunks = [domain, ...parts].map((part) => utf8(String(part)));
  return sha256(concat(chunks.flatMap((chunk) => [lengthPrefix(chunk.length), chunk])));
}

/** `sha256(bytes of hash)`: one link of a hash chain. */
export function hashLink(hash: Hash): Hash {
  return sha256(fromHex(hash));
}

function lengthPrefix(length: number): Uint8Array {
  const prefix = new Uint8Array(4);
  new DataView(prefix.buffer).setUint32(0, length);
  return prefix;
}
