import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWorldError, type WorldError } from '@folkmoot/core';
import { memoryPlan } from './memory-choice.ts';
import { memoryNeed } from './memory-need.ts';
import { RUN_PRESETS, type RunRules } from './presets.ts';

const rules: RunRules = RUN_PRESETS.medium;
const total = (changed: Partial<RunRules>, plan: 'plain' | 'recompute') =>
  memoryNeed({ rules: { ...rules, ...changed }, engine: 'native', plan }).total;
const choose = (availableBytes: number, open = false) => memoryPlan(rules, { engine: 'native', availableBytes }, open);

function refusal(work: () => unknown): WorldError {
  try {
    work();
  } catch (error) {
    assert.ok(isWorldError(error, 'memory-too-small'));
    return error;
  }
  assert.fail('nothing was refused');
}

test('plain where it fits, recomputation where only that does, and then a refusal with both numbers', () => {
  const [plain, recompute] = [total({}, 'plain'), total({}, 'recompute')];
  assert.equal(choose(plain), 'plain');
  assert.equal(choose(plain - 1), 'recompute');
  assert.equal(choose(recompute), 'recompute');
  const error = refusal(() => choose(recompute - 1));
  assert.equal(error.facts.needsBytes, Math.ceil(recompute));
  assert.equal(error.facts.availableBytes, Math.floor(recompute - 1));
  assert.match(error.message, /^A member of this run needs [\d.]+ [MG]iB of memory; [\d.]+ [MG]iB can be used\.$/);
});

test('who founds is told what would fit: the largest micro-batch, else a preset', () => {
  const two = total({ microRows: 2 }, 'recompute');
  if (two < total({}, 'recompute')) assert.match(refusal(() => choose(two, true)).help!, /--micro-rows 2/);
  const small = memoryNeed({ rules: RUN_PRESETS.small, engine: 'native', plan: 'recompute' }).total;
  assert.match(refusal(() => choose(small, true)).help!, /--preset small/);
  assert.match(refusal(() => choose(1e6, true)).help!, /^Close other programs/);
  assert.doesNotMatch(refusal(() => choose(two)).help!, /--preset|--micro-rows/);
});

test('WebAssembly ends at 4 GiB, however much memory there is', () => {
  const model = { ...rules.model, hidden: 2048, feedForward: 8192, layers: 12, vocab: 32_768 };
  const error = refusal(() => memoryPlan({ ...rules, model }, { engine: 'exact', availableBytes: 1e15 }));
  assert.match(error.message, /of WebAssembly memory, which ends at 4\.0 GiB\.$/);
});
