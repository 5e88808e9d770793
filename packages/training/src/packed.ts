/** Dense bit fields: two 12-bit indices in three bytes, four 2-bit codes in one; the lowest bits come first. */

export const indexBytes = (count: number) => Math.ceil((count * 12) / 8);
export const codeBytes = (count: number) => Math.ceil(count / 4);

/** Packs `indices` (each below 4096) to `into`, which is zero there. */
export function packIndices(indices: Uint16Array, into: Uint8Array): void {
  for (let i = 0, at = 0; i < indices.length; i += 2, at += 3) {
    const pair = indices[i] | ((i + 1 < indices.length ? indices[i + 1] : 0) << 12);
    into[at] = pair;
    into[at + 1] = pair >>> 8;
    if (i + 1 < indices.length) into[at + 2] = pair >>> 16;
  }
}

/** `undefined` where an unused bit is set: one update has one artifact. */
export function unpackIndices(bytes: Uint8Array, count: number): Uint16Array | undefined {
  const indices = new Uint16Array(count);
  for (let i = 0, at = 0; i < count; i += 2, at += 3) {
    indices[i] = bytes[at] | ((bytes[at + 1] & 15) << 8);
    if (i + 1 < count) indices[i + 1] = (bytes[at + 1] >>> 4) | (bytes[at + 2] << 4);
    else if (bytes[at + 1] >>> 4 !== 0) return undefined;
  }
  return indices;
}

/** Packs `codes` (each below 4) to `into`, which is zero there. */
export function packCodes(codes: Uint8Array, into: Uint8Array): void {
  for (let i = 0; i < codes.length; i++) into[i >>> 2] |= codes[i] << (2 * (i & 3));
}

/** `undefined` where an unused bit is set. */
export function unpackCodes(bytes: Uint8Array, count: number): Uint8Array | undefined {
  const codes = new Uint8Array(count);
  for (let i = 0; i < count; i++) codes[i] = (bytes[i >>> 2] >>> (2 * (i & 3))) & 3;
  const used = count % 4;
  return used !== 0 && bytes[bytes.length - 1] >>> (2 * used) !== 0 ? undefined : codes;
}
