/** Randomness that everybody can recompute: a stream of numbers from a hash. */
import { sha256Bytes } from '#crypto';
import { fromHex, utf8 } from './bytes.ts';
import { type Hash, sha256 } from './hash.ts';

/** A source of chance; production, tests and the simulator pass different ones. */
export interface Random {
  /** An integer in [0, 2^32). */
  uint32(): number;
}

/** sha-256 in counter mode over `seed`: the same numbers on every machine. */
export class SeededRandom implements Random {
  readonly #seed: Uint8Array;
  #counter = 0;
  #block: DataView<ArrayBufferLike> = new DataView(new ArrayBuffer(0));
  #at = 0;

  constructor(seed: Hash | string) {
    this.#seed = /^[0-9a-f]{64}$/.test(seed) ? fromHex(seed) : fromHex(sha256(utf8(seed)));
  }

  uint32(): number {
    if (this.#at >= this.#block.byteLength) {
      const counter = new Uint8Array(8);
      new DataView(counter.buffer).setBigUint64(0, BigInt(this.#counter++));
      const bytes = sha256Bytes(this.#seed, counter);
      this.#block = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      this.#at = 0;
    }
    const value = this.#block.getUint32(this.#at);
    this.#at += 4;
    return value;
  }
}

/** An integer in [0, `bound`), without bias. `bound` in [1, 2^32]. */
export function below(random: Random, bound: number): number {
  if (!Number.isInteger(bound) || bound < 1 || bound > 2 ** 32)
    throw new RangeError(`bound ${bound} is not in [1, 2^32]`);
  const limit = 2 ** 32 - (2 ** 32 % bound);
  for (;;) {
    const value = random.uint32();
    if (value < limit) return value % bound;
  }
}

/** A new array with the items of `items` in random order (Fisher–Yates). */
export function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = below(random, i + 1);
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}

/** `size` random bytes. */
export function randomBytes(random: Random, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = random.uint32() & 0xff;
  return bytes;
}

/**
 * A permutation of [0, `size`) by a key, one index at a time: neither side stores the list.
 *
 * A four-round Feistel network over the next even power of two; indices that fall outside walk the cycle until they are
 * inside. Not for secrets: only for spreading rows that everybody may know.
 */
export function permutation(key: Hash, size: number): (index: number) => number {
  if (!Number.isInteger(size) || size < 1 || size > 2 ** 30) throw new RangeError(`size ${size} is not in [1, 2^30]`);
  const half = Math.max(1, Math.ceil(Math.ceil(Math.log2(size)) / 2));
  const mask = 2 ** half - 1;
  const random = new SeededRandom(key);
  const rounds = [0, 1, 2, 3].map(() => random.uint32());
  const step = (index: number) => {
    let left = index >>> half;
    let right = index & mask;
    for (const roundKey of rounds) [left, right] = [right, left ^ (mix(right ^ roundKey) & mask)];
    return ((left << half) | right) >>> 0;
  };
  return (index) => {
    if (!Number.isInteger(index) || index < 0 || index >= size)
      throw new RangeError(`index ${index} is not in [0, ${size})`);
    let at = step(index);
    while (at >= size) at = step(at);
    return at;
  };
}

/** A 32-bit integer hash (murmur3's finalizer). */
function mix(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
