import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RUN_PRESETS } from '@folkmoot/node';
import { learningText } from './learning-rules.ts';

test('rules of learning in one line', () => {
  assert.equal(
    learningText(RUN_PRESETS.tiny),
    'Muon at 0.003, 20 steps of warm-up, then constant; dense updates; outer rate 0.7, Nesterov momentum 0.6',
  );
  const schedule = { kind: 'wsd', steps: 1200, decaySteps: 100, finalRate: '0.1', shape: 'sqrt' } as const;
  assert.equal(
    learningText({ ...RUN_PRESETS.medium, optimizer: { ...RUN_PRESETS.medium.optimizer, schedule } }),
    'AdamW at 0.0006, 100 steps of warm-up, then wsd to 0.1 of it by step 1,200; sparse updates (64 of 4096, ahead by 0.5 from round 20); outer rate 1',
  );
});
