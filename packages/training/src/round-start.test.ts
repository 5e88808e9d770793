import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesOf, SeededRandom, sha256 } from '@folkmoot/core';
import { applyAggregate } from './aggregate.ts';
import { packBfloat16 } from './bfloat16.ts';
import { aheadOfMemory, lookAhead } from './round-start.ts';

const N = 500;
const RATE = 0.7;
const MOMENTUM = 0.6;

function randoms(seed: string, size: number): Float64Array {
  const random = new SeededRandom(seed);
  return Float64Array.from({ length: N }, () => size * (random.uint32() / 2 ** 31 - 1));
}

test('two bases are all the state of Nesterov’s method, as PyTorch writes it with a momentum buffer', () => {
  // The twin: y ← y − α·(g + μ·m), m ← μ·m + g, in double precision. Gradients depend on where they are taken.
  const target = randoms('target', 1);
  const gradientAt = (at: Float32Array | Float64Array) =>
    Float64Array.from(at, (value, i) => 0.1 * (value - target[i]!));
  let y = randoms('start', 1).map(Math.fround);
  let momentum = new Float64Array(N);
  let base: Float32Array = Float32Array.from(y);
  let previous = base;
  for (let round = 0; round < 40; round++) {
    const start = lookAhead(base, previous, String(MOMENTUM));
    for (let i = 0; i < N; i++) assert.ok(Math.abs(start[i]! - y[i]!) < 3e-6, `round ${round}`);
    const values = Int32Array.from(gradientAt(start), (value) => Math.round(value * 2 ** 30));
    previous = base;
    base = applyAggregate(start, { values, fates: [], clipNorm: 0n }, String(RATE));
    const gradient = gradientAt(y);
    momentum = momentum.map((value, i) => MOMENTUM * value + gradient[i]!);
    y = y.map((value, i) => value - RATE * (gradient[i]! + MOMENTUM * momentum[i]!));
  }
  const far = randoms('start', 1);
  assert.ok(Math.abs(y[0]! - target[0]!) < 0.1 * Math.abs(far[0]! - target[0]!), 'the twin has gone somewhere');
});

test('starts and bases stay what they were, to the bit', () => {
  let base: Float32Array = Float32Array.from(randoms('frozen base', 1));
  let previous = base;
  for (let round = 0; round < 5; round++) {
    const start = lookAhead(base, previous, '0.6');
    const values = Int32Array.from(randoms(`frozen ${round}`, 2 ** 24), Math.round);
    previous = base;
    base = applyAggregate(start, { values, fates: [], clipNorm: 0n }, '0.7');
  }
  const own = aheadOfMemory(base, packBfloat16(Float32Array.from(randoms('frozen error', 0.01))), '0.5');
  assert.deepEqual(
    [base, own].map((arena) => sha256(bytesOf(arena))),
    [
      '9ba12f3bdf7f83423823c8584d82573d6846ab5ac982e3a1bafc9e7e91aaa674',
      '3ef7aac0dc805e8d8f28c5c2fc20aa58903ff382443edfa4a7aa7fe3c64fbc0a',
    ],
  );
});

test('without a change there is nothing to go on along', () => {
  const base = Float32Array.from(randoms('base', 1));
  assert.deepEqual(lookAhead(base, base, '0.9'), base);
});

test('what was not said is taken off by its share, rounded once', () => {
  const start = Float32Array.of(1, -1, 0.1, 0);
  const error = packBfloat16(Float32Array.of(0.5, -0.25, 0.1, 0));
  const memory = Math.fround(0.10009765625);
  assert.deepEqual(aheadOfMemory(start, error, '0.5'), Float32Array.of(0.75, -0.875, 0.1 - 0.5 * memory, 0));
  assert.deepEqual(aheadOfMemory(start, error, '0'), start);
});
