/**
 * JSON whose parsed form is bounded, for readers that take megabytes from strangers.
 *
 * A bracket costs one byte of text and some sixty of memory, and parsing it twenty times the time of a digit: 59 MB of
 * brackets took 25 seconds and more than a gigabyte. So brackets and commas are counted first, in one pass over the bytes.
 */
import { fromUtf8 } from './bytes.ts';

export interface JsonBounds {
  /** Objects and arrays within one another. */
  readonly depth: number;
  /** Objects and arrays in all. */
  readonly containers: number;
  /** Commas outside of strings: members and items beyond the first of each. */
  readonly commas: number;
}

/** The value of strict UTF-8 JSON. Throws `RangeError` beyond the bounds, before anything is parsed; and what parsing throws. */
export function parseBoundedJson(bytes: Uint8Array, bounds: JsonBounds): unknown {
  if (!isWithin(bytes, bounds)) throw new RangeError('more JSON than its reader needs');
  return JSON.parse(fromUtf8(bytes));
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;

/** One look at each byte, at most. What is no JSON may pass: the parser refuses it at the first wrong letter. */
function isWithin(bytes: Uint8Array, bounds: JsonBounds): boolean {
  let { containers, commas } = bounds;
  let depth = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === QUOTE) at = endOfString(bytes, at + 1);
    else if (byte === COMMA) {
      if (--commas < 0) return false;
      // `[` and `{` are one bit apart, and so are `]` and `}`.
    } else if ((byte | 0x20) === 0x7b) {
      if (++depth > bounds.depth || --containers < 0) return false;
    } else if ((byte | 0x20) === 0x7d) depth--;
  }
  return true;
}

/** Of the closing quote, or of the end. */
function endOfString(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}
