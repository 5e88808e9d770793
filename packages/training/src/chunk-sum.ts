/** The sum of a chunk over all updates, and what aggregation asks of it: means, inner products. All in integers, exact. */
import { CHUNK } from './chunks.ts';
import type { Update } from './codec.ts';

/** A sum is split at this bit: |sum| < 2^41 (1024 updates of at most 2^31), so both parts are at most 2^20. */
const HALF = 2 ** 21;

/** Holds one chunk at a time; made once, used for all of them. */
export class ChunkSum {
  /** In UNITs, from the chunk's first parameter on. */
  readonly sums = new Float64Array(CHUNK);
  /** How many updates have a value for each parameter. */
  readonly senders = new Uint16Array(CHUNK);
  /** sums = high · HALF + low, where the updates are dense. */
  readonly #high = new Float64Array(CHUNK);
  readonly #low = new Float64Array(CHUNK);

  /** Sums chunk `chunk` of `updates` (of one layout); `group` is the one that the chunk belongs to. */
  of(updates: readonly Update[], group: number, chunk: number): void {
    const { sums } = this;
    sums.fill(0);
    this.senders.fill(0);
    for (const update of updates) this.#add(update, group, chunk);
    if (updates[0]?.kind !== 'dense') return;
    for (let i = 0; i < updates[0].chunks.lengths[chunk]; i++) {
      this.#high[i] = Math.round(sums[i] / HALF);
      this.#low[i] = sums[i] - this.#high[i] * HALF;
    }
  }

  /** Inner product of `update` with the sum, over the chunk that was summed last; in UNIT². */
  times(update: Update, group: number, chunk: number): bigint {
    return update.kind === 'dense' ? this.#timesDense(update, chunk) : this.#timesSparse(update, group, chunk);
  }

  #add(update: Update, group: number, chunk: number): void {
    const { sums, senders } = this;
    if (update.kind === 'dense') {
      const { scales, codes, chunks } = update;
      const start = chunks.starts[chunk];
      for (let i = 0; i < chunks.lengths[chunk]; i++) {
        sums[i] += codes[start + i] * scales[chunk];
        senders[i]++;
      }
      return;
    }
    const { entries, indices, codes, codebooks } = update;
    for (let entry = entries[chunk]; entry < entries[chunk + 1]; entry++) {
      sums[indices[entry]] += codebooks[4 * group + codes[entry]];
      senders[indices[entry]]++;
    }
  }

  #timesDense({ scales, codes, chunks }: Extract<Update, { kind: 'dense' }>, chunk: number): bigint {
    const start = chunks.starts[chunk];
    // At most 4096 · 127 · 2^20 < 2^39 each.
    let high = 0;
    let low = 0;
    for (let i = 0; i < chunks.lengths[chunk]; i++) {
      high += codes[start + i] * this.#high[i];
      low += codes[start + i] * this.#low[i];
    }
    return (BigInt(high) * BigInt(HALF) + BigInt(low)) * BigInt(scales[chunk]);
  }

  #timesSparse(update: Extract<Update, { kind: 'sparse' }>, group: number, chunk: number): bigint {
    const { entries, indices, codes, codebooks } = update;
    // At most 64 entries: 2^6 · 2^41 = 2^47 each.
    const byCode = [0, 0, 0, 0];
    for (let entry = entries[chunk]; entry < entries[chunk + 1]; entry++)
      byCode[codes[entry]] += this.sums[indices[entry]];
    let total = 0n;
    for (const [code, sum] of byCode.entries())
      if (sum !== 0) total += BigInt(sum) * BigInt(codebooks[4 * group + code]);
    return total;
  }
}
