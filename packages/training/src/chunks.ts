/** How an arena is cut for a codec: runs of at most 4096 consecutive parameters. */
import type { ParameterLayout } from '@folkmoot/model';

export const CHUNK = 4096;

/** Chunk `c` covers `lengths[c]` parameters from `starts[c]`; all chunks together cover the arena once, in order. */
export interface Chunks {
  readonly count: number;
  readonly starts: Uint32Array;
  readonly lengths: Uint16Array;
  /** Chunks of group `g` (a tensor, or the whole arena): from `groups[g]` up to, not including, `groups[g + 1]`. */
  readonly groups: Uint32Array;
}

/** Blocks over the whole arena, regardless of tensors; the last may be short. */
export function arenaChunks(layout: ParameterLayout): Chunks {
  return cut([layout.elements]);
}

/**
 * Chunks within each tensor, flattened row by row; the last of each may be short.
 *
 * Consecutive parameters rather than 64×64 tiles: one rule for matrices and vectors of any width.
 */
export function tensorChunks(layout: ParameterLayout): Chunks {
  return cut(layout.tensors.map((tensor) => tensor.elements));
}

function cut(sizes: readonly number[]): Chunks {
  const counts = sizes.map((size) => Math.ceil(size / CHUNK));
  const count = counts.reduce((sum, chunks) => sum + chunks, 0);
  const starts = new Uint32Array(count);
  const lengths = new Uint16Array(count);
  const groups = new Uint32Array(sizes.length + 1);
  let chunk = 0;
  let start = 0;
  for (const [group, size] of sizes.entries()) {
    for (let at = 0; at < size; at += CHUNK, chunk++) {
      starts[chunk] = start + at;
      lengths[chunk] = Math.min(CHUNK, size - at);
    }
    start += size;
    groups[group + 1] = chunk;
  }
  return { count, starts, lengths, groups };
}
