/** Hashing and signatures wherever JavaScript runs. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { concat, equalBytes, toHex, utf8 } from './bytes.ts';

export function sha256Bytes(...parts: Uint8Array[]): Uint8Array {
  return sha256(parts.length === 1 ? parts[0]! : concat(parts));
}

/** sha-256 of the UTF-8 of `text`, in hexadecimal. */
export function sha256Text(text: string): string {
  return toHex(sha256(utf8(text)));
}

export function ed25519PublicKey(secret: Uint8Array): Uint8Array {
  return ed25519.getPublicKey(secret);
}

export function ed25519Sign(secret: Uint8Array, message: Uint8Array): Uint8Array {
  return ed25519.sign(message, secret);
}

/**
 * False, never a throw, for a malformed key or signature.
 *
 * The strict equation of RFC 8032, section 5.1.7, without the cofactor, and no point of small order: as OpenSSL has it.
 * noble's own `verify` also takes signatures with a part of small order, so a log that Node refuses would pass in a browser.
 */
export function ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  try {
    const { BASE, Fn } = ed25519.Point;
    const key = ed25519.Point.fromBytes(publicKey);
    const commitment = signature.subarray(0, 32);
    const s = littleEndian(signature.subarray(32));
    if (key.isSmallOrder() || s >= Fn.ORDER) return false;
    const challenge = littleEndian(sha512(concat([commitment, publicKey, message]))) % Fn.ORDER;
    const expected = BASE.multiplyUnsafe(s).subtract(key.multiplyUnsafe(challenge));
    return !expected.isSmallOrder() && equalBytes(expected.toBytes(), commitment);
  } catch {
    return false;
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes.slice().reverse())}`);
}
