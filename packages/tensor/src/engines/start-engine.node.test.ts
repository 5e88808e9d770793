import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { isWorldError } from '@folkmoot/core';
import type { Engine, EngineKind } from '../engine.ts';
import { detectProviders, startEngine } from './start-engine.node.ts';

afterEach(() => {
  delete process.env.FOLKMOOT_ENGINE;
});

const hardware = (await detectProviders()).some(
  ({ engine, available, software }) => engine === 'webgpu' && available && !software,
);

async function kindOf(...[run, asked]: Parameters<typeof startEngine>): Promise<EngineKind> {
  const engine: Engine = await startEngine(run, asked, { threads: 1 });
  await engine.close();
  return engine.kind;
}

test('who asks gets it; a run of class exact is computed exactly; nobody gets a software adapter unasked', async () => {
  assert.equal(await kindOf('exact'), 'exact');
  assert.equal(await kindOf('exact', 'native'), 'native');
  process.env.FOLKMOOT_ENGINE = 'exact';
  assert.equal(await kindOf('native'), 'exact');
  assert.equal(await kindOf('native', 'native'), 'native', 'an option comes before the environment');
  process.env.FOLKMOOT_ENGINE = '';
  if (hardware) return;
  assert.equal(await kindOf('native'), 'native');
  assert.equal(await kindOf('webgpu'), 'native');
  await assert.rejects(kindOf('native', 'webgpu'), (error) => isWorldError(error, 'engine-unavailable'));
});

test('an engine that does not exist is refused by name', async () => {
  process.env.FOLKMOOT_ENGINE = 'tpu';
  await assert.rejects(kindOf('native'), (error) => isWorldError(error, 'engine-unknown'));
});

test('the report has a line for every provider, and a reason for each that is missing', async () => {
  const reports = await detectProviders();
  assert.deepEqual(
    [...new Set(reports.map(({ engine, provider }) => `${engine}/${provider}`))],
    ['native/cpu', 'exact/wasm', 'webgpu/webgpu', 'native/cuda'],
  );
  for (const { available, reason, provider } of reports) assert.equal(available, reason === undefined, provider);
});
