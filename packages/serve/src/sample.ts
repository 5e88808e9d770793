/** From logits to the next token. */
import { type Random, WorldError } from '@folkmoot/core';

export interface SamplingOptions {
  /** Divides the logits: 0 (always the likeliest token) to 10. Default 0.8. */
  readonly temperature: number;
  /** Only this many of the likeliest tokens; 0 for all. Default 40. */
  readonly topK: number;
  /** Only the likeliest tokens that together have this probability, in (0, 1]. Default 0.95. */
  readonly topP: number;
}

export const DEFAULT_SAMPLING: SamplingOptions = { temperature: 0.8, topK: 40, topP: 0.95 };

/** Throws `sampling-options` with the first rule that `options` break. */
export function checkSampling({ temperature, topK, topP }: SamplingOptions): void {
  const rules: [boolean, string][] = [
    [temperature >= 0 && temperature <= 10, 'the temperature must be from 0 to 10'],
    [Number.isInteger(topK) && topK >= 0, 'top-k must be a whole number, 0 for all tokens'],
    [topP > 0 && topP <= 1, 'top-p must be above 0 and at most 1'],
  ];
  const broken = rules.find(([holds]) => !holds);
  if (broken)
    throw new WorldError('sampling-options', `This text cannot be generated: ${broken[1]}.`, {
      facts: { temperature, topK, topP },
      help: 'Leave the option away for its default.',
    });
}

/**
 * A token for `logits` (`[V]`): temperature, then top-k, then top-p (Holtzman et al. 2020), in Hugging Face's order.
 *
 * At temperature 0 the likeliest, and of equals the first, without drawing from `random`. Throws `model-diverged` where
 * logits are not finite numbers.
 */
export function sampleToken(logits: Float32Array, options: SamplingOptions, random: Random): number {
  if (!logits.every(Number.isFinite))
    throw new WorldError('model-diverged', 'The model gives no finite probabilities.', {
      help: 'Its parameters are damaged or its training diverged: try the base of an earlier round.',
    });
  if (options.temperature === 0) return likeliest(logits);
  const { tokens, shares } = candidates(logits, options);
  const total = shares.reduce((sum, share) => sum + share, 0);
  let rest = (random.uint32() / 2 ** 32) * total;
  for (const [i, share] of shares.entries()) {
    rest -= share;
    if (rest < 0) return tokens[i]!;
  }
  // Rounding may leave a little: it belongs to the last.
  return tokens.at(-1)!;
}

function likeliest(logits: Float32Array): number {
  return logits.reduce((best, logit, token) => (logit > logits[best]! ? token : best), 0);
}

/** The tokens that may be drawn, likeliest first, and their unnormalized probabilities. */
function candidates(logits: Float32Array, options: SamplingOptions): { tokens: number[]; shares: number[] } {
  const { temperature, topK, topP } = options;
  const order = Array.from(logits.keys()).sort((a, b) => logits[b]! - logits[a]! || a - b);
  const tokens = topK > 0 ? order.slice(0, topK) : order;
  const peak = logits[order[0]!]!;
  const shares = tokens.map((token) => Math.exp((logits[token]! - peak) / temperature));
  const enough = topP * shares.reduce((sum, share) => sum + share, 0);
  let [kept, sum] = [0, 0];
  while (kept < shares.length && sum < enough) sum += shares[kept++]!;
  return { tokens: tokens.slice(0, kept), shares: shares.slice(0, kept) };
}
