/** Text from a model, piece by piece. */
import { SeededRandom, WorldError } from '@folkmoot/core';
import { END_OF_TEXT_ID } from '@folkmoot/model';
import type { LoadedModel } from './loaded-model.ts';
import { checkSampling, DEFAULT_SAMPLING, type SamplingOptions, sampleToken } from './sample.ts';

export interface GenerateOptions extends Partial<SamplingOptions> {
  /** 1 to 1,000,000; default 128. */
  readonly maxTokens?: number;
  /** The same seed, prompt and model give the same text on the same engine. Default `0`. */
  readonly seed?: string;
  /** Ends the text after the token in progress. */
  readonly signal?: AbortSignal;
}

export interface Completion {
  readonly promptTokens: number;
  readonly tokens: number;
  readonly reason: 'end-of-text' | 'length' | 'aborted';
}

/**
 * Continues `prompt`; an empty one begins a new document.
 *
 * Yields pieces of text that are never empty and never end within a character; bytes that are no UTF-8 become U+FFFD.
 * Beyond the context, the window slides: the oldest tokens are forgotten. Throws `sampling-options` on a bad option.
 */
export async function* generate(
  model: LoadedModel,
  prompt: string,
  options: GenerateOptions = {},
): AsyncGenerator<string, Completion> {
  const { maxTokens = 128, seed = '0', signal } = options;
  const sampling = { ...DEFAULT_SAMPLING, ...withoutUndefined(options) };
  checkSampling(sampling);
  checkLength(maxTokens);
  const random = new SeededRandom(seed);
  const tokens = model.tokenizer.encode(prompt);
  if (tokens.length === 0) tokens.push(END_OF_TEXT_ID);
  const promptTokens = tokens.length;
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  let reason: Completion['reason'] = 'length';
  while (tokens.length < promptTokens + maxTokens) {
    if (signal?.aborted) {
      reason = 'aborted';
      break;
    }
    const token = sampleToken(await model.nextLogits(tokens), sampling, random);
    if (token === END_OF_TEXT_ID) {
      reason = 'end-of-text';
      break;
    }
    tokens.push(token);
    const piece = decoder.decode(model.tokenizer.bytesOf(token), { stream: true });
    if (piece) yield piece;
  }
  const rest = decoder.decode();
  if (rest) yield rest;
  return { promptTokens, tokens: tokens.length - promptTokens, reason };
}

/** Options that a command line passes on although they were not given. */
function withoutUndefined({ temperature, topK, topP }: GenerateOptions): Partial<SamplingOptions> {
  return Object.fromEntries(Object.entries({ temperature, topK, topP }).filter(([, value]) => value !== undefined));
}

function checkLength(maxTokens: number): void {
  if (!Number.isInteger(maxTokens) || maxTokens < 1 || maxTokens > 1_000_000)
    throw new WorldError('sampling-options', 'The number of tokens must be a whole number from 1 to 1,000,000.', {
      facts: { maxTokens },
      help: 'Leave the option away for 128 tokens.',
    });
}
