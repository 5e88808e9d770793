/** The tolerance is what was measured: the summary comes from the samples, and presets take it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isHash } from '@folkmoot/core';
import { CALIBRATION, CALIBRATION_ID, type Samples, summarize } from './calibration.ts';

const samples: Samples = JSON.parse(
  readFileSync(new URL('../../../docs/results/calibration.json', import.meta.url), 'utf8'),
);

test('the summary and its tolerances are those of the samples', () => {
  const engines = Object.fromEntries(Object.entries(CALIBRATION.pairs).map(([pair, { engine }]) => [pair, engine]));
  assert.deepEqual(summarize(CALIBRATION.method, engines, samples), CALIBRATION);
  assert.ok(isHash(CALIBRATION_ID));
});

test('a tolerance is ten times the worst, rounded up to two digits', () => {
  const made = summarize(
    CALIBRATION.method,
    { a: 'one engine', b: 'another' },
    {
      tensors: ['w', 'm of w', 'v of w'],
      segments: {
        a: [[0, 0, 0]],
        b: [
          [1, 2, 3],
          [12_345, 7, 9],
          [4, 4, 4],
        ],
      },
      steps: {
        a: [[0, 0, 0]],
        b: [
          [900, 80, 70],
          [1, 60, 81],
        ],
      },
      operators: { at: [{ ppb: [1, 105, 3] }, { ppb: [2, 2, 2] }] },
    },
  );
  const { a, b } = made.pairs;
  assert.deepEqual(a?.segment, { samples: 1, equal: 1, medianPpb: 0, p99Ppb: 0, maxPpb: 0 });
  assert.deepEqual(b?.segment, { samples: 3, equal: 0, medianPpb: 4, p99Ppb: 12_345, maxPpb: 12_345 });
  assert.equal(b?.stepMoments.maxPpb, 81);
  assert.equal(b?.stepParameters.maxPpb, 900);
  assert.deepEqual(made.tolerance, {
    segmentPpm: 130,
    stepMomentsPpb: 810,
    stepParametersPpb: 9000,
    operatorPpb: 1100,
  });
});
