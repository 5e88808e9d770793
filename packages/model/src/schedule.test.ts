import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AdamwRules, INITIAL_POWERS, learningRateAt, nextPowers, powersAfter, stepScalars } from './schedule.ts';

const RULES: AdamwRules = {
  learningRate: '0.001',
  beta1: '0.9',
  beta2: '0.95',
  epsilon: '0.00000001',
  weightDecay: '0.1',
  clipNorm: '1',
  warmupSteps: 10,
  joinerWarmupSteps: 4,
};

test('the rate rises from its first part to a constant; a joiner rises again', () => {
  assert.equal(learningRateAt(RULES, 0, 0), 0.001 * 0.1);
  assert.equal(learningRateAt(RULES, 4, 4), 0.001 * 0.5);
  assert.equal(learningRateAt(RULES, 9, 9), 0.001);
  assert.equal(learningRateAt(RULES, 1000, 1000), 0.001);
  assert.equal(learningRateAt(RULES, 1000, 0), 0.001 * 0.25);
});

test('powers are the same step by step and from the start, and near the true ones', () => {
  let powers = INITIAL_POWERS;
  for (let step = 1; step <= 50; step++) {
    powers = nextPowers(RULES, powers);
    assert.deepEqual(powers, powersAfter(RULES, step));
    assert.ok(Math.abs(powers.first / Math.fround(0.9) ** step - 1) < 1e-13);
  }
});

test('all scalars are float32, and the first step corrects the moments fully', () => {
  const scalars = stepScalars(RULES, { powers: powersAfter(RULES, 1), learningRate: 0.001, clipScale: 1 });
  for (const [name, value] of Object.entries(scalars)) assert.equal(value, Math.fround(value), name);
  // One step from zeros moves by the rate, whatever the gradient: rate·(gradientScale·g)/√(squareScale·g²).
  const moved = (scalars.rate * scalars.gradientScale) / Math.sqrt(scalars.squareScale);
  assert.ok(Math.abs(moved / 0.001 - 1) < 1e-6);
  assert.equal(scalars.keep, Math.fround(1 - 0.001 * 0.1));
});
