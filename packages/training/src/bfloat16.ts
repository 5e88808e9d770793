/** bfloat16 by integer arithmetic: the upper half of a float32, rounded to nearest, ties to even. */

const EXPONENT = 0x7f800000;
const QUIET_NAN = 0x7fc0;

/** Rounds every float32 of `values` to bfloat16. Beyond the largest bfloat16 comes infinity; a NaN stays a NaN. */
export function packBfloat16(values: Float32Array, into = new Uint16Array(values.length)): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i];
    // Rounding up would carry the payload of some NaNs into the sign: they must not come out as −0.
    if ((word & 0x7fffffff) > EXPONENT) into[i] = QUIET_NAN;
    else into[i] = (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return into;
}

/** The float32 of every bfloat16: exact. */
export function unpackBfloat16(packed: Uint16Array, into = new Float32Array(packed.length)): Float32Array {
  const bits = new Uint32Array(into.buffer, into.byteOffset, packed.length);
  for (let i = 0; i < packed.length; i++) bits[i] = packed[i] << 16;
  return into;
}

/** Whether a NaN or an infinity is among float32 or bfloat16 `values`: either voids what contains it. */
export function hasNonFinite(values: Float32Array | Uint16Array): boolean {
  return values instanceof Float32Array
    ? hasExponent(new Uint32Array(values.buffer, values.byteOffset, values.length), EXPONENT)
    : hasExponent(values, EXPONENT >>> 16);
}

function hasExponent(words: Uint32Array | Uint16Array, exponent: number): boolean {
  for (let i = 0; i < words.length; i++) if ((words[i] & exponent) === exponent) return true;
  return false;
}
