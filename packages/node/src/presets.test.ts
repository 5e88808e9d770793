import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parameterLayout } from '@folkmoot/model';
import { brokenExchange, brokenOptimizer } from '@folkmoot/records';
import { exchangeRules, RUN_PRESETS } from './presets.ts';
import { runPrograms } from './tensor-work.ts';

test('every preset keeps the charter’s rules, and its programs can be built', () => {
  for (const rules of Object.values(RUN_PRESETS)) {
    assert.equal(brokenOptimizer(rules.optimizer), undefined);
    const { codec, aggregator } = rules;
    assert.equal(brokenExchange({ codec, aggregator }), undefined);
    assert.equal(rules.stepsPerRound % rules.stepsPerSegment, 0);
    assert.equal(runPrograms(rules).muon !== undefined, rules.optimizer.kind === 'muon');
    assert.ok(parameterLayout(rules.model).elements > 0);
  }
});

test('each codec comes with the rules that suit it', () => {
  for (const kind of ['dense', 'sparse'] as const) {
    const rules = exchangeRules(kind);
    assert.equal(rules.codec.kind, kind);
    assert.equal(brokenExchange(rules), undefined);
    assert.equal(rules.aggregator.momentum !== undefined, kind === 'dense', 'momentum suits dense updates alone');
  }
});
