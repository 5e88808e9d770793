import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ADAMW, type OptimizerRules, type Schedule } from './optimizer-rules.ts';
import { learningRateAt } from './schedule.ts';

const rulesWith = (schedule: Schedule): OptimizerRules => ({ ...ADAMW, warmupSteps: 10, schedule });
const CONSTANT = rulesWith({ kind: 'constant' });
const COSINE = rulesWith({ kind: 'cosine', steps: 110, finalRate: '0.1' });
const LINEAR = rulesWith({ kind: 'wsd', steps: 110, decaySteps: 20, finalRate: '0.1', shape: 'linear' });
const SQRT = rulesWith({ kind: 'wsd', steps: 110, decaySteps: 20, finalRate: '0.1', shape: 'sqrt' });
const ALL = [CONSTANT, COSINE, LINEAR, SQRT];
const LATE = 1000; // A device step behind the joiners' warm-up.

test('the rate rises from its first part to a constant; a joiner rises again, whatever the schedule', () => {
  assert.equal(learningRateAt(CONSTANT, 0, 0), 0.001 * 0.1);
  assert.equal(learningRateAt(CONSTANT, 9, 9), 0.001);
  assert.equal(learningRateAt(CONSTANT, 1e8, 1e8), 0.001);
  for (const rules of ALL) {
    assert.equal(learningRateAt(rules, 4, 4), 0.001 * 0.5);
    for (const step of [9, 50, 100, 500])
      assert.equal(learningRateAt(rules, step, 0) * 4, learningRateAt(rules, step, LATE));
  }
});

test('cosine: a slow twin with Math.cos', () => {
  const steps = fc.integer({ min: 11, max: 1_000_000 });
  fc.assert(
    fc.property(
      steps,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 1, max: 99 }),
      (length, at, last) => {
        const floor = last / 100;
        const rules = rulesWith({ kind: 'cosine', steps: length, finalRate: String(floor) });
        const step = 10 + Math.floor(at * (length - 10));
        const progress = (step - 10) / (length - 10);
        const expected = 0.001 * (floor + ((1 - floor) * (1 + Math.cos(Math.PI * progress))) / 2);
        assert.ok(Math.abs(learningRateAt(rules, step, LATE) / expected - 1) < 1e-13);
      },
    ),
  );
});

test('warm-up, stable, decay: constant, then down in a line or by a root', () => {
  for (const rules of [LINEAR, SQRT]) {
    for (const step of [10, 60, 90]) assert.equal(learningRateAt(rules, step, LATE), 0.001);
    assert.ok(learningRateAt(rules, 91, LATE) < 0.001);
  }
  const near = (actual: number, expected: number) => assert.ok(Math.abs(actual / expected - 1) < 1e-13, `${actual}`);
  near(learningRateAt(LINEAR, 100, LATE), 0.001 * (0.1 + 0.9 * 0.5));
  near(learningRateAt(SQRT, 95, LATE), 0.001 * (0.1 + 0.9 * (1 - Math.sqrt(0.25))));
  near(learningRateAt(SQRT, 109, LATE), 0.001 * (0.1 + 0.9 * (1 - Math.sqrt(0.95))));
});

test('after the warm-up no schedule rises, and the final rate stays for ever', () => {
  for (const rules of ALL) {
    for (let step = 10; step < 130; step++)
      assert.ok(learningRateAt(rules, step, LATE) <= learningRateAt(rules, step - 1, LATE), `step ${step}`);
    if (rules === CONSTANT) continue;
    for (const step of [110, 111, 1e9]) assert.equal(learningRateAt(rules, step, LATE), 0.001 * 0.1);
    assert.ok(learningRateAt(rules, 109, LATE) > 0.001 * 0.1);
  }
});

test('rates are frozen to the last bit: a change would fork every run', () => {
  const bits = (rules: OptimizerRules, step: number) => {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, learningRateAt(rules, step, LATE));
    return view.getBigUint64(0).toString(16);
  };
  assert.deepEqual(
    [COSINE, LINEAR, SQRT].map((rules) => [33, 97, 101].map((step) => bits(rules, step))),
    [
      ['3f4d154f125ab962', '3f21f54e88684697', '3f1ee5fa18d716ed'],
      ['3f50624dd2f1a9fc', '3f4672324c836652', '3f408c3f3e0370ce'],
      ['3f50624dd2f1a9fc', '3f3ea43c11a9af4c', '3f35cb21996f56d2'],
    ],
  );
});
