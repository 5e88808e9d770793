/**
 * Canonical JSON: one text for one value, so that its hash is a name (RFC 8785, restricted to what records use).
 *
 * Numbers are safe integers only: floats would bring their own formatting rules into every second implementation.
 */
import { utf8 } from './bytes.ts';
import { type Hash, sha256 } from './hash.ts';

export type Canonical =
  | null
  | boolean
  | number
  | string
  | readonly Canonical[]
  | { readonly [key: string]: Canonical | undefined };

/** The canonical text of `value`; members that are `undefined` are left out. Throws `RangeError` on a value without one. */
export function canonicalJson(value: Canonical): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new RangeError('text with a lone surrogate has no canonical form');
    return JSON.stringify(value);
  }
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) throw new RangeError(`${value} is not a safe integer`);
    return String(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object') throw new RangeError(`${typeof value} has no canonical form`);
  const members = value as { readonly [key: string]: Canonical | undefined };
  // RFC 8785 orders keys by UTF-16 code units, which is what JavaScript's default sort compares.
  const keys = Object.keys(members)
    .filter((key) => members[key] !== undefined)
    .sort();
  return `{${keys.map((key) => `${canonicalJson(key)}:${canonicalJson(members[key]!)}`).join(',')}}`;
}

export function canonicalBytes(value: Canonical): Uint8Array {
  return utf8(canonicalJson(value));
}

/** The id of a value: sha-256 of its canonical bytes. */
export function idOf(value: Canonical): Hash {
  return sha256(canonicalBytes(value));
}
