import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PRESETS, type PresetName } from '@folkmoot/model';
import { nearestPreset, rulesForModel } from './model-rules.ts';
import { RUN_PRESETS } from './presets.ts';

test('a preset’s own model has the preset’s rules', () => {
  for (const name of Object.keys(PRESETS) as PresetName[]) {
    assert.equal(nearestPreset(PRESETS[name]), name);
    assert.deepEqual(rulesForModel(PRESETS[name]), RUN_PRESETS[name]);
  }
});

test('another model has the nearest preset’s rules and as many tokens in a step; large ones learn more slowly', () => {
  const small = rulesForModel({ ...PRESETS.small, layers: 3, context: 1024 });
  assert.equal(small.batchRows * 1024, RUN_PRESETS.small.batchRows * PRESETS.small.context);
  assert.deepEqual(small.optimizer, RUN_PRESETS.small.optimizer);
  const gpt = { ...PRESETS.medium, hidden: 768, heads: 12, kvHeads: 12, layers: 12, feedForward: 2048, context: 4096 };
  assert.equal(nearestPreset(gpt), 'medium');
  assert.equal(rulesForModel(gpt).batchRows, 1);
  assert.equal(rulesForModel(gpt).optimizer.learningRate, RUN_PRESETS.medium.optimizer.learningRate);
  const large = rulesForModel({ ...gpt, hidden: 1536, layers: 24, feedForward: 4096 });
  assert.equal(large.optimizer.learningRate, '0.00025');
});
