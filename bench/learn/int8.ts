/** Inner moments in eight bits: what the quarter of the bytes would cost. */

const BLOCK = 256;

/** Both moments through 8 bits in blocks of 256: m linearly around zero, v as its square root, from zero. */
export function throughInt8({ m, v }: { m: Float32Array; v: Float32Array }): { m: Float32Array; v: Float32Array } {
  const roots = v.map(Math.sqrt);
  return { m: inBlocks(m, 127), v: inBlocks(roots, 255).map((root) => root * root) };
}

function inBlocks(values: Float32Array, levels: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let start = 0; start < values.length; start += BLOCK) {
    const block = values.subarray(start, start + BLOCK);
    const largest = block.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    if (largest === 0) continue;
    const step = largest / levels;
    for (let i = 0; i < block.length; i++) result[start + i] = Math.round(block[i] / step) * step;
  }
  return result;
}
