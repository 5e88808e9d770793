import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADAMW } from './optimizer-rules.ts';
import { INITIAL_POWERS, nextPowers, powersAfter, stepScalars } from './step-scalars.ts';

const RULES = ADAMW;

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
