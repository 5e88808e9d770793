import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWorldError } from '@folkmoot/core';
import { ADAMW, MUON } from '@folkmoot/model';
import type { OptimizerOptions } from '../commands/optimizer-options.ts';
import { optimizerOf, optimizerOptionsOf } from './optimizer-of.ts';

const PRESET = { optimizer: { ...ADAMW, learningRate: '0.003', warmupSteps: 20 }, stepsPerRound: 20 } as const;
const rulesOf = (options: OptimizerOptions & { rounds?: string }) => optimizerOf(PRESET, optimizerOptionsOf(options));

test('without options the preset is as it was; with them only what they name changes', () => {
  assert.deepEqual(rulesOf({ embeddingDecay: true, rounds: '8' }), PRESET.optimizer);
  assert.deepEqual(
    rulesOf({ learningRate: '0.01', weightDecay: '0', zLoss: '0.0001', warmupSteps: '7', embeddingDecay: false }),
    {
      ...PRESET.optimizer,
      ...{ learningRate: '0.01', weightDecay: '0', zLoss: '0.0001', warmupSteps: 7, decayEmbeddings: false },
    },
  );
});

test('Muon takes over what the preset has, and back', () => {
  const muon = { ...MUON, learningRate: '0.003', warmupSteps: 20 };
  assert.deepEqual(rulesOf({ optimizer: 'muon' }), muon);
  assert.deepEqual(optimizerOf({ ...PRESET, optimizer: muon }, { optimizer: 'adamw' }), PRESET.optimizer);
  assert.deepEqual(optimizerOf({ ...PRESET, optimizer: muon }, {}), muon);
});

test('a schedule is as long as the plan, or as this command trains', () => {
  const schedule = (options: OptimizerOptions & { rounds?: string }) => rulesOf(options).schedule;
  assert.deepEqual(schedule({ schedule: 'constant', rounds: '8' }), { kind: 'constant' });
  assert.deepEqual(schedule({ schedule: 'cosine', rounds: '8' }), { kind: 'cosine', steps: 160, finalRate: '0.1' });
  assert.deepEqual(schedule({ schedule: 'wsd', plannedRounds: '100', rounds: '8' }), {
    ...{ kind: 'wsd', steps: 2000, decaySteps: 400, finalRate: '0.1', shape: 'sqrt' },
  });
  assert.deepEqual(
    schedule({ schedule: 'wsd', rounds: '8', decayRounds: '3', decayShape: 'linear', finalRate: '0.01' }),
    {
      ...{ kind: 'wsd', steps: 160, decaySteps: 60, finalRate: '0.01', shape: 'linear' },
    },
  );
});

test('what makes no run is refused before anything is read', () => {
  const cases: [OptimizerOptions & { rounds?: string }, string, RegExp][] = [
    [{ learningRate: '3e-4' }, 'optimizer-invalid', /learningRate.*plain decimal/],
    [{ learningRate: '0' }, 'optimizer-invalid', /learningRate.*above 0/],
    [{ zLoss: '2' }, 'optimizer-invalid', /zLoss.*at most 1/],
    [{ warmupSteps: 'none' }, 'bad-number', /--warmup-steps/],
    [{ schedule: 'cosine' }, 'schedule-length', /cosine/],
    [{ schedule: 'cosine', rounds: '1' }, 'optimizer-invalid', /longer than its warm-up/],
    [{ schedule: 'wsd', rounds: '4', decayRounds: '4' }, 'optimizer-invalid', /decaySteps/],
    [{ schedule: 'wsd', rounds: '4', finalRate: '0' }, 'optimizer-invalid', /finalRate.*above 0/],
    [{ plannedRounds: '4' }, 'optimizer-invalid', /--schedule cosine or wsd/],
    [{ schedule: 'cosine', rounds: '4', decayShape: 'linear' }, 'optimizer-invalid', /--schedule wsd/],
  ];
  for (const [options, code, message] of cases)
    assert.throws(
      () => rulesOf(options),
      (error) => isWorldError(error) && error.code === code && message.test(error.message),
      JSON.stringify(options),
    );
});
