/**
 * Words as integers, for finding texts that repeat each other.
 *
 * No table of Unicode is used, since its versions differ: two machines cut a text alike. Letters, digits and underscores
 * of ASCII and of scripts with spaces make words; in scripts without spaces each character is one; everything else
 * stands between words.
 */

/** A hash in 32 bits of each word of `text`, in order; ASCII letters count as small. */
export function wordHashes(text: string): Uint32Array {
  const hashes = new Uint32Array(text.length);
  let count = 0;
  let hash = START;
  let inWord = false;
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i);
    const kind = kindOf(code);
    if (inWord && kind !== PART) {
      hashes[count++] = scramble(hash);
      inWord = false;
    }
    if (kind === BETWEEN) continue;
    if (code >= 65 && code <= 90) code += 32;
    hash = Math.imul((inWord ? hash : START) ^ code, PRIME);
    if (kind === PART) inWord = true;
    else hashes[count++] = scramble(hash);
  }
  if (inWord) hashes[count++] = scramble(hash);
  return hashes.subarray(0, count);
}

/** Mixes all bits of a 32-bit integer into all others (MurmurHash3's finalizer, Appleby 2011). A bijection. */
export function scramble(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** FNV-1a, over code units instead of bytes (Fowler, Noll and Vo). */
const START = 0x811c9dc5 | 0;
const PRIME = 0x01000193;

const BETWEEN = 0;
/** Of a word. */
const PART = 1;
const ALONE = 2;

function kindOf(code: number): 0 | 1 | 2 {
  if (code < 0x80) {
    const isWord =
      (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 95;
    return isWord ? PART : BETWEEN;
  }
  // Latin-1's signs; general punctuation to technical signs; punctuation of Chinese, Japanese and Korean.
  if (code < 0xc0 || (code >= 0x2000 && code < 0x2c00) || (code >= 0x3000 && code < 0x3040)) return BETWEEN;
  return isAlone(code) ? ALONE : PART;
}

/** Thai to Tibetan, Myanmar, Khmer, and all from the radicals of Han on, halves of rarer characters included. */
function isAlone(code: number): boolean {
  return (
    code >= 0x2e80 ||
    (code >= 0x0e00 && code < 0x1000) ||
    (code >= 0x1000 && code < 0x10a0) ||
    (code >= 0x1780 && code < 0x1800)
  );
}
