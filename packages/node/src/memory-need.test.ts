/**
 * The formula against processes that do a member’s work: never far off, and hardly ever under. Peaks of one program differ
 * by a tenth from run to run: garbage is collected when it suits the machine.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ADAMW, type ModelConfig, MUON } from '@folkmoot/model';
import type { EngineKind, MemoryPlan } from '@folkmoot/tensor';
import { memoryNeed } from './memory-need.ts';
import { exchangeRules, RUN_PRESETS, type RunRules } from './presets.ts';

const CHILD = fileURLToPath(new URL('memory-child.test-support.ts', import.meta.url));
const { small } = RUN_PRESETS;

const rulesOf = (model: Partial<ModelConfig>, rules: Partial<RunRules>): RunRules => ({
  ...{ ...small, stepsPerRound: 1, stepsPerSegment: 1, optimizer: ADAMW },
  ...{ ...rules, model: { ...small.model, ...model } },
});

const WIDE = { vocab: 8192, hidden: 512, heads: 8, feedForward: 1408, context: 64 };
/** Many activations; many parameters; a long context; everything that costs memory. */
const CASES: readonly [string, RunRules, EngineKind, MemoryPlan][] = [
  ['activations', rulesOf({}, { batchRows: 6 }), 'native', 'plain'],
  ['activations, computed again', rulesOf({}, { batchRows: 6 }), 'native', 'recompute'],
  ['parameters', rulesOf({ ...WIDE, layers: 5 }, { batchRows: 1, ...exchangeRules('sparse') }), 'native', 'plain'],
  ['a long context', rulesOf({ context: 2048, layers: 2 }, { batchRows: 1 }), 'native', 'recompute'],
  [
    'Muon, dense updates, micro-batches',
    rulesOf({ ...WIDE, layers: 4 }, { batchRows: 2, microRows: 1, optimizer: MUON, ...exchangeRules('dense') }),
    'native',
    'plain',
  ],
  ['exact', rulesOf({ layers: 3, vocab: 2048 }, { batchRows: 4 }), 'exact', 'plain'],
];

for (const [name, rules, engine, plan] of CASES)
  test(`${name}: the formula is not far from the measured peak, above rather than below`, async () => {
    const args = [...process.execArgv, CHILD, JSON.stringify(rules), engine, plan];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const { idleBytes, peakBytes } = JSON.parse(stdout) as { idleBytes: number; peakBytes: number };
    const { total, idle } = memoryNeed({ rules, engine, plan });
    // A member has more libraries in memory than the child; what it does is the same.
    const [said, measured] = [total - idle, peakBytes - idleBytes];
    const facts = `${(said / 1e6).toFixed(0)} MB said, ${(measured / 1e6).toFixed(0)} MB measured, ${(said / measured).toFixed(2)}`;
    if (process.env.FOLKMOOT_SHOW) console.log(name, facts);
    assert.ok(said > 0.85 * measured && said < 1.4 * measured, facts);
  });

test('what costs memory is said to cost memory', () => {
  const total = (rules: Partial<RunRules>, plan: MemoryPlan = 'plain', engine: EngineKind = 'native') =>
    memoryNeed({ rules: { ...RUN_PRESETS.medium, ...rules }, engine, plan }).total;
  const plain = total({});
  assert.ok(total({}, 'recompute') < plain);
  assert.ok(total({ microRows: 1 }) < plain && total({ batchRows: 8 }) > plain);
  assert.ok(total({ optimizer: MUON }) > plain && total({ ...exchangeRules('dense') }) > plain);
  assert.ok(total({}, 'plain', 'exact') > plain);
  const gpu = memoryNeed({ rules: RUN_PRESETS.medium, engine: 'webgpu', plan: 'plain' });
  assert.ok(gpu.device > gpu.total && gpu.total < plain);
});
