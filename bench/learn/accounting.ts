/** Bytes: what an arm sends, and how many times less that is than a float32 gradient in every step. */
import type { ParameterLayout } from '@folkmoot/model';
import type { CodecRules } from '@folkmoot/records';
import { maxUpdateBytes } from '@folkmoot/training';
import { type Arm, at, stepsBefore } from './arm.ts';
import { bitsTried } from './tried-codec.ts';

/** SparseLoCo as published: 64 of 4096, 12 bits for a place and 2 for a value, H = 30. */
export const PUBLISHED_TIMES = (32 / ((64 * 14) / 4096)) * 30;

/** Bits of one update for each parameter of a large model, where codebooks and odd ends do not count. */
export function bitsPerParameter(codec: CodecRules): number {
  if (codec.kind === 'dense') return 8;
  return (log2Binomial(codec.chunk, codec.keep) + 2 * codec.keep) / codec.chunk;
}

/** How many times fewer bytes than all-reducing 32 bits a parameter in every step; for a large model, or `layout`'s. */
export function timesFewer(arm: Arm, layout?: ParameterLayout): number {
  let bits = 0;
  for (let round = 0; round < arm.rounds; round++) {
    const codec = at(arm.codec, round);
    if (codec === 'none') return 1;
    if (arm.tried) bits += bitsTried(arm.tried);
    else bits += layout ? (8 * maxUpdateBytes(codec, layout)) / layout.elements : bitsPerParameter(codec);
  }
  return (32 * stepsBefore(arm, arm.rounds)) / bits;
}

/** Times fewer bytes of one exchange. */
export function timesFewerPerSync(codec: CodecRules): number {
  return 32 / bitsPerParameter(codec);
}

function log2Binomial(n: number, k: number): number {
  let bits = 0;
  for (let i = 1; i <= k; i++) bits += Math.log2((n - k + i) / i);
  return bits;
}
