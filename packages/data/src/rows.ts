/** Rows: what a model trains on, read from shards as they are needed. */
import { assert, type Hash, WorldError } from '@folkmoot/core';
import type { DatasetManifest, Split } from './manifest.ts';

export interface RowBatch {
  /** `[n, T]` inputs. */
  readonly tokens: Int32Array;
  /** `[n, T]`: the token after each input. */
  readonly targets: Int32Array;
}

/** The rows of one split: row r is tokens [r·T, r·T + T] of its shards laid end to end. */
export class Rows {
  readonly count: number;
  readonly #manifest: DatasetManifest;
  readonly #split: Split;
  readonly #getShard: (id: Hash) => Promise<Uint8Array>;
  readonly #cacheShards: number;
  /** Shard number → tokens, the one used longest ago first. Promises, so that two readers fetch a shard once. */
  readonly #cache = new Map<number, Promise<Uint16Array>>();

  /**
   * `getShard` returns verified bytes of an artifact. `cacheBytes`: shards kept in memory, default 32 MiB, at least one
   * shard.
   */
  constructor(
    manifest: DatasetManifest,
    split: Split,
    getShard: (id: Hash) => Promise<Uint8Array>,
    { cacheBytes = 32 * 2 ** 20 }: { cacheBytes?: number } = {},
  ) {
    this.count = manifest[split].rows;
    this.#manifest = manifest;
    this.#split = split;
    this.#getShard = getShard;
    this.#cacheShards = Math.max(1, Math.floor(cacheBytes / (2 * manifest.shardTokens)));
  }

  /**
   * Inputs and targets of `rowIndices`, in their order; each in [0, count).
   *
   * Throws what `getShard` throws, and `shard-malformed` where the creator published a shard of the wrong size or with a
   * token outside the vocabulary.
   */
  async read(rowIndices: readonly number[]): Promise<RowBatch> {
    const { context } = this.#manifest;
    const tokens = new Int32Array(rowIndices.length * context);
    const targets = new Int32Array(rowIndices.length * context);
    for (const [i, row] of rowIndices.entries()) {
      assert(Number.isInteger(row) && row >= 0 && row < this.count, `row ${row} is one of ${this.count}`);
      const line = await this.#stretch(row * context, context + 1);
      tokens.set(line.subarray(0, context), i * context);
      targets.set(line.subarray(1), i * context);
    }
    return { tokens, targets };
  }

  /** `length` tokens from token `start` on, across shards. */
  async #stretch(start: number, length: number): Promise<Uint16Array> {
    const { shardTokens } = this.#manifest;
    const stretch = new Uint16Array(length);
    for (let filled = 0; filled < length; ) {
      const at = start + filled;
      const shard = await this.#shard(Math.floor(at / shardTokens));
      const part = shard.subarray(at % shardTokens, (at % shardTokens) + length - filled);
      stretch.set(part, filled);
      filled += part.length;
    }
    return stretch;
  }

  #shard(number: number): Promise<Uint16Array> {
    const known = this.#cache.get(number);
    this.#cache.delete(number);
    const shard = known ?? this.#load(number);
    this.#cache.set(number, shard);
    if (this.#cache.size > this.#cacheShards) this.#cache.delete(this.#cache.keys().next().value!);
    return shard;
  }

  async #load(number: number): Promise<Uint16Array> {
    const { id, tokens } = this.#manifest[this.#split].shards[number]!;
    try {
      return readShard(await this.#getShard(id), tokens, this.#manifest.vocab, id);
    } catch (error) {
      // The next reader asks again: the shard may arrive.
      this.#cache.delete(number);
      throw error;
    }
  }
}

function readShard(bytes: Uint8Array, tokens: number, vocab: number, id: Hash): Uint16Array {
  if (bytes.length !== 2 * tokens) throw malformed(id, `it has ${bytes.length} bytes instead of ${2 * tokens}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Uint16Array(tokens);
  for (let i = 0; i < tokens; i++) {
    const token = view.getUint16(2 * i, true);
    if (token >= vocab) throw malformed(id, `it holds token ${token} of a vocabulary of ${vocab}`);
    values[i] = token;
  }
  return values;
}

function malformed(id: Hash, why: string): WorldError {
  return new WorldError('shard-malformed', `A shard of this run cannot be used: ${why}.`, {
    facts: { shard: id },
    help: "The run's creator published it so; leave this run.",
  });
}
