import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { isWorldError } from '@folkmoot/core';
import { END_OF_TEXT_ID, initialParameters, type ModelConfig, Tokenizer } from '@folkmoot/model';
import { createEngine } from '@folkmoot/tensor/node';
import { type Completion, type GenerateOptions, generate } from './generate.ts';
import { type LoadedModel, loadModel } from './loaded-model.ts';

const CONFIG: ModelConfig = {
  vocab: 257,
  hidden: 16,
  layers: 1,
  heads: 2,
  kvHeads: 1,
  feedForward: 16,
  context: 8,
  ropeTheta: 10_000,
  normEpsilon: '0.00001',
  tied: true,
};
const tokenizer = new Tokenizer([]);
const engine = await createEngine('native', { threads: 1 });
after(() => engine.close());

/** A model that says `ids`, one after the other, then end of text. */
function speaker(ids: readonly number[], seen: number[][] = []): LoadedModel {
  let at = 0;
  return {
    config: CONFIG,
    tokenizer,
    nextLogits: async (tokens) => {
      seen.push([...tokens]);
      const logits = new Float32Array(CONFIG.vocab);
      logits[ids[at++] ?? END_OF_TEXT_ID] = 50;
      return logits;
    },
    free: async () => {},
  };
}

async function collect(model: LoadedModel, prompt: string, options: GenerateOptions = {}) {
  const pieces: string[] = [];
  const text = generate(model, prompt, options);
  for (;;) {
    const { done, value } = await text.next();
    if (done) return { pieces, completion: value as Completion };
    pieces.push(value as string);
  }
}

test('pieces are whole characters, and end of text ends the text', async () => {
  const { pieces, completion } = await collect(speaker(tokenizer.encode('aé€😀')), 'x', { temperature: 0 });
  assert.deepEqual(pieces, ['a', 'é', '€', '😀']);
  assert.deepEqual(completion, { promptTokens: 1, tokens: 10, reason: 'end-of-text' });
});

test('half a character at the end is shown as such', async () => {
  const { pieces, completion } = await collect(speaker(tokenizer.encode('a€')), 'x', { temperature: 0, maxTokens: 3 });
  assert.deepEqual(pieces, ['a', '\ufffd']);
  assert.equal(completion.reason, 'length');
});

test('each token sees the prompt and what came before; an empty prompt begins a document', async () => {
  const seen: number[][] = [];
  await collect(speaker(tokenizer.encode('bc'), seen), 'a', { temperature: 0 });
  assert.deepEqual(
    seen,
    ['a', 'ab', 'abc'].map((text) => tokenizer.encode(text)),
  );
  const fresh: number[][] = [];
  await collect(speaker([], fresh), '', { temperature: 0 });
  assert.deepEqual(fresh, [[END_OF_TEXT_ID]]);
});

test('an abort ends the text after the token in progress', async () => {
  const controller = new AbortController();
  const text = generate(speaker(tokenizer.encode('abcdef')), 'x', { temperature: 0, signal: controller.signal });
  assert.equal((await text.next()).value, 'a');
  controller.abort();
  assert.deepEqual(await text.next(), { done: true, value: { promptTokens: 1, tokens: 1, reason: 'aborted' } });
});

test('a real model: the same seed gives the same text, another seed another; the window slides', async () => {
  const params = initialParameters(CONFIG, 'generate').map((value) => (value === 1 ? 1 : value * 10));
  const model = await loadModel({ engine, config: CONFIG, params, tokenizer });
  const say = async (seed: string) =>
    (await collect(model, 'the', { seed, maxTokens: 20, topK: 0, topP: 1 })).pieces.join('');
  assert.equal(await say('1'), await say('1'));
  assert.notEqual(await say('1'), await say('2'));

  const long = tokenizer.encode('0123456789abcdef');
  assert.deepEqual(await model.nextLogits(long), await model.nextLogits(long.slice(-8)));
  assert.notDeepEqual(await model.nextLogits(long), await model.nextLogits(long.slice(-7)));
  await model.free();
});

test('bad options are refused before anything runs', async () => {
  for (const bad of [{ maxTokens: 0 }, { maxTokens: 1.5 }, { temperature: -1 }])
    await assert.rejects(collect(speaker([]), 'x', bad), (error) => isWorldError(error, 'sampling-options'));
});
