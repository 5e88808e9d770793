/** A model ready to answer: its parameters beside the engine, its logits program loaded. */
import { assert } from '@folkmoot/core';
import { END_OF_TEXT_ID, logitsProgram, type ModelConfig, parameterLayout } from '@folkmoot/model';
import type { DeviceBuffer, Engine, Executable, View } from '@folkmoot/tensor';

/** As much of a tokenizer as generation needs; `Tokenizer` of `model` has it. */
export interface TextCodec {
  encode(text: string): number[];
  /** The bytes of one token: part of a character, perhaps. */
  bytesOf(id: number): Uint8Array;
}

export interface ModelSource {
  readonly engine: Engine;
  readonly config: ModelConfig;
  /** The parameter arena, N elements. */
  readonly params: Float32Array;
  readonly tokenizer: TextCodec;
}

export interface LoadedModel {
  readonly config: ModelConfig;
  readonly tokenizer: TextCodec;
  /**
   * The logits `[V]` of the token after `tokens` (at least one), of which only the last T are looked at.
   *
   * All T positions are computed anew each time: there is no key-value cache.
   */
  nextLogits(tokens: readonly number[]): Promise<Float32Array>;
  /** Gives the memory back; the engine stays. */
  free(): Promise<void>;
}

/** Loads `source` into its engine. Throws as `Engine.load` and `Engine.allocate` do. */
export async function loadModel({ engine, config, params, tokenizer }: ModelSource): Promise<LoadedModel> {
  const { tensors, elements } = parameterLayout(config);
  assert(params.length === elements, `an arena of ${elements} elements, not ${params.length}`);
  const executable = await engine.load(logitsProgram(config));
  const buffer = await engine.allocate('float32', elements);
  await buffer.write(params);
  const views = Object.fromEntries(tensors.map(({ name, offset }) => [name, { buffer, offset }]));
  return {
    config,
    tokenizer,
    nextLogits: (tokens) => nextLogits(executable, views, config, tokens),
    free: () => free(executable, buffer),
  };
}

async function nextLogits(
  executable: Executable,
  views: Readonly<Record<string, View>>,
  { context }: ModelConfig,
  tokens: readonly number[],
): Promise<Float32Array> {
  assert(tokens.length > 0, 'something comes before the next token');
  const window = tokens.slice(-context);
  const padded = new Int32Array(context).fill(END_OF_TEXT_ID);
  padded.set(window);
  const position = Int32Array.of(window.length - 1);
  const { logits } = await executable.run({ ...views, tokens: padded, position });
  return logits as Float32Array;
}

async function free(executable: Executable, buffer: DeviceBuffer): Promise<void> {
  await executable.free();
  await buffer.free();
}
