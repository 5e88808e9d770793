/** A model's first parameters: random, but the same bytes on every machine. */
import { type Hash, SeededRandom } from '@folkmoot/core';
import type { ModelConfig } from './config.ts';
import { parameterLayout } from './layout.ts';

/** Standard deviation of the matrices, as in GPT-2. */
const DEVIATION = 0.02;

/**
 * The arena (N elements, see `parameterLayout`) for `config` from a seed.
 *
 * Matrices are near-normal with standard deviation 0.02, the two that write to the residual stream 0.02/√(2·layers)
 * (Radford et al. 2019); norms are 1. Only integers, + − × ÷ and sqrt are used, in a fixed order.
 */
export function initialParameters(config: ModelConfig, seed: Hash): Float32Array {
  const { tensors, elements } = parameterLayout(config);
  const arena = new Float32Array(elements);
  const random = new NormalSource(new SeededRandom(seed));
  const residual = DEVIATION / Math.sqrt(2 * config.layers);
  for (const { name, shape, offset, elements: size } of tensors) {
    const tensor = arena.subarray(offset, offset + size);
    if (shape.length === 1) tensor.fill(1);
    else random.fill(tensor, /\.(o_proj|down_proj)\.weight$/.test(name) ? residual : DEVIATION);
  }
  return arena;
}

/**
 * Sums of twelve 16-bit uniform numbers (Irwin–Hall): mean 0, variance 1, no tail beyond 6 deviations.
 *
 * The bits come from xoshiro128** (Blackman and Vigna 2018), which is fast in 32-bit integers; sha-256 only seeds it.
 */
class NormalSource {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: SeededRandom) {
    [this.#a, this.#b, this.#c, this.#d] = [seed.uint32(), seed.uint32(), seed.uint32(), seed.uint32() | 1];
  }

  fill(target: Float32Array, deviation: number): void {
    // The sum of twelve integers in [0, 65535] has mean 12·32767.5 and variance 65536² − 1, which is 12/12·(2³² − 1).
    const factor = deviation / 65_536;
    for (let i = 0; i < target.length; i++) {
      let sum = 0;
      for (let draw = 0; draw < 6; draw++) {
        const bits = this.#next();
        sum += (bits & 0xffff) + (bits >>> 16);
      }
      target[i] = (sum - 393_210) * factor;
    }
  }

  #next(): number {
    const product = Math.imul(this.#b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9);
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }
}
