import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWorldError, SeededRandom } from '@folkmoot/core';
import fc from 'fast-check';
import { checkSampling, DEFAULT_SAMPLING, sampleToken } from './sample.ts';

const ALL = { temperature: 1, topK: 0, topP: 1 };
const LOGITS = Float32Array.of(0, 2, 1, 2, -5);

function counts(options: typeof ALL, draws = 4000): number[] {
  const random = new SeededRandom('counts');
  const result = LOGITS.reduce<number[]>((list) => [...list, 0], []);
  for (let i = 0; i < draws; i++) result[sampleToken(LOGITS, options, random)]!++;
  return result;
}

test('without temperature the first of the likeliest is taken, and no chance is used', () => {
  const random = { uint32: () => assert.fail('drew') };
  assert.equal(sampleToken(LOGITS, { ...ALL, temperature: 0 }, random), 1);
});

test('frequencies follow the softmax', () => {
  const shares = [...LOGITS].map((logit) => Math.exp(logit / 0.5));
  const total = shares.reduce((a, b) => a + b);
  counts({ ...ALL, temperature: 0.5 }).forEach((count, token) => {
    assert.ok(Math.abs(count / 4000 - shares[token]! / total) < 0.03, `token ${token}: ${count}`);
  });
});

test('top-k and top-p leave the others out', () => {
  assert.deepEqual(
    counts({ ...ALL, topK: 2 }).map((count) => count > 0),
    [false, true, false, true, false],
  );
  // The two likeliest have 0.79 together, with the third 0.94.
  assert.deepEqual(
    counts({ ...ALL, topP: 0.78 }).map((count) => count > 0),
    [false, true, false, true, false],
  );
  assert.deepEqual(
    counts({ ...ALL, topP: 0.8 }).map((count) => count > 0),
    [false, true, true, true, false],
  );
});

test('any logits and options give a token of the vocabulary, the same for the same seed', () => {
  const options = fc.record({
    temperature: fc.double({ min: 0, max: 10, noNaN: true }),
    topK: fc.nat(50),
    topP: fc.double({ min: Number.MIN_VALUE, max: 1, noNaN: true }),
  });
  const logits = fc.float32Array({ minLength: 1, maxLength: 40, noNaN: true, noDefaultInfinity: true });
  fc.assert(
    fc.property(logits, options, fc.string(), (values, sampling, seed) => {
      const draw = () => sampleToken(values, sampling, new SeededRandom(seed));
      const token = draw();
      assert.ok(Number.isInteger(token) && token >= 0 && token < values.length);
      assert.equal(draw(), token);
    }),
  );
});

test('a diverged model and bad options are named', () => {
  assert.throws(
    () => sampleToken(Float32Array.of(1, Number.NaN), ALL, new SeededRandom('')),
    (error) => isWorldError(error, 'model-diverged'),
  );
  checkSampling(DEFAULT_SAMPLING);
  for (const bad of [{ temperature: -1 }, { temperature: Number.NaN }, { topK: 1.5 }, { topP: 0 }, { topP: 1.1 }])
    assert.throws(
      () => checkSampling({ ...ALL, ...bad }),
      (error) => isWorldError(error, 'sampling-options'),
    );
});
