/** The largest of a chunk by magnitude, found by a histogram over float bits. */

// The bits of a positive float32 order as the float does; the upper 11 are exponent and 3 bits of mantissa.
const BINS = 2048;
const SHIFT = 20;
const MAGNITUDE = 0x7fffffff;

const histogram = new Uint32Array(BINS);

/**
 * Writes the indices, ascending and relative to `start`, of the `keep` largest magnitudes among `length` floats from
 * `start` to `into`, from `at`. Of equal magnitudes the lower indices are taken. `bits`: the floats' bits, none of them
 * NaN; `1 ≤ keep ≤ length`.
 */
export function topIndices(
  bits: Uint32Array,
  start: number,
  length: number,
  keep: number,
  into: Uint16Array,
  at: number,
): void {
  const [threshold, above] = thresholdOf(bits, start, length, keep);
  let ties = keep - above;
  for (let i = 0; i < length; i++) {
    const magnitude = bits[start + i] & MAGNITUDE;
    if (magnitude > threshold || (magnitude === threshold && ties-- > 0)) into[at++] = i;
  }
}

/** The `keep`-th largest magnitude, as bits, and how many are above it. */
function thresholdOf(bits: Uint32Array, start: number, length: number, keep: number): [number, number] {
  histogram.fill(0);
  for (let i = start; i < start + length; i++) histogram[(bits[i] & MAGNITUDE) >>> SHIFT]++;
  let bin = BINS - 1;
  let above = 0;
  while (above + histogram[bin] < keep) above += histogram[bin--];

  const inBin = new Uint32Array(histogram[bin]);
  let found = 0;
  for (let i = start; i < start + length; i++) {
    const magnitude = bits[i] & MAGNITUDE;
    if (magnitude >>> SHIFT === bin) inBin[found++] = magnitude;
  }
  inBin.sort();
  const threshold = inBin[found - (keep - above)];
  for (let i = found - 1; inBin[i] > threshold; i--) above++;
  return [threshold, above];
}
