/**
 * Canonical JSON: one text for one value, so that its hash is a name (RFC 8785, restricted to what records use).
 *
 * Numbers are safe integers only: floats would bring their own formatting rules into every second implementation.
 */
import { sha256Text } from '#crypto';
import { utf8 } from './bytes.ts';
import type { Hash } from './hash.ts';

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
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) throw new RangeError(`${value} is not a safe integer`);
    return String(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object') throw new RangeError(`${typeof value} has no canonical form`);
  const members = value as { readonly [key: string]: Canonical | undefined };
  let text = '';
  // RFC 8785 orders keys by UTF-16 code units, which is what JavaScript's default sort compares.
  for (const key of Object.keys(members).sort()) {
    const member = members[key];
    if (member !== undefined) text += `${text === '' ? '' : ','}${quoted(key)}:${canonicalJson(member)}`;
  }
  return `{${text}}`;
}

/** Printable ASCII that JSON leaves as it is: nearly all that records hold, and quicker to recognise than to quote. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

function quoted(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw new RangeError('text with a lone surrogate has no canonical form');
  return JSON.stringify(text);
}

export function canonicalBytes(value: Canonical): Uint8Array {
  return utf8(canonicalJson(value));
}

/**
 * Whether `text` is the canonical text of `value`, without making another: of a list of a million items that would take
 * seconds and gigabytes. Throws as `canonicalJson` does.
 */
export function isCanonicalText(text: string, value: Canonical): boolean {
  return endOf(value, text, 0) === text.length;
}

/** Where `value` ends in `text` if it stands at `at` in canonical form; −1 if it does not. */
function endOf(value: Canonical, text: string, at: number): number {
  if (typeof value !== 'object' || value === null) return after(canonicalJson(value), text, at);
  const isList = Array.isArray(value);
  const members = value as { readonly [key: string]: Canonical | undefined };
  let end = after(isList ? '[' : '{', text, at);
  let separator = '';
  for (const key of isList ? value.keys() : Object.keys(members).sort()) {
    const member = members[key];
    if (member === undefined) continue;
    end = endOf(member, text, after(isList ? separator : `${separator}${quoted(key as string)}:`, text, end));
    if (end < 0) return -1;
    separator = ',';
  }
  return after(isList ? ']' : '}', text, end);
}

function after(expected: string, text: string, at: number): number {
  return at >= 0 && text.startsWith(expected, at) ? at + expected.length : -1;
}

/** The id of a value: sha-256 of its canonical bytes. */
export function idOf(value: Canonical): Hash {
  return sha256Text(canonicalJson(value));
}
