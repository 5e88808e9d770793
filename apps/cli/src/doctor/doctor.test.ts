/** The doctor on machines that are not this one: what it sees is given, what it says is looked at. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WorldError } from '@folkmoot/core';
import { PRESETS, type PresetName, parameterLayout } from '@folkmoot/model';
import { RUN_PRESETS } from '@folkmoot/node';
import { checkExactWasm, type Engine } from '@folkmoot/tensor';
import type { MachineDescription } from './examination.ts';
import { examinationLines } from './examination-lines.ts';
import { muonFlops, stepTimeMs, work } from './forecast.ts';
import { type Eyes, examine } from './run-doctor.ts';

const MACHINE: MachineDescription = {
  platform: 'linux x64',
  node: '24.21.0',
  processor: 'Some Processor With A Name Much Longer Than Any Line Of Eighty Columns Could Ever Hold',
  cores: 2,
  load: 0.1,
  memoryBytes: 16e9,
  availableBytes: 12e9,
  home: '/home/ana/.local/share/folkmoot',
  diskFreeBytes: 50e9,
  homeWritable: true,
};
const SPEED = { productGflops: 91.7, tinyStepMs: 45.7 };

const look = (changes: Partial<MachineDescription>, eyes: Partial<Eyes> = {}) =>
  examine(
    MACHINE.home,
    {
      describe: async () => ({ ...MACHINE, ...changes }),
      open: opens,
      detect: async () => [],
      measure: async () => SPEED,
      ...eyes,
    },
    () => {},
    new AbortController().signal,
  );

const opens: Eyes['open'] = async (kind) => ({ kind, name: `${kind} 1.30.0`, async close() {} }) as Engine;

test('a good machine: no problem, every preset fits', async () => {
  const found = await look({});
  assert.deepEqual(found.problems, []);
  assert.equal(found.canRun, true);
  assert.deepEqual(
    found.forecasts.map(({ preset, fits }) => [preset, fits]),
    (Object.keys(RUN_PRESETS) as PresetName[]).map((preset) => [preset, true]),
  );
  assert.equal(found.measured?.engine, 'native');
});

test('too little memory: nothing fits, no member can run, and both numbers are told', async () => {
  const found = await look({ availableBytes: 100e6 });
  assert.equal(found.canRun, false);
  assert.ok(found.forecasts.every(({ fits }) => !fits));
  const text = examinationLines(found, false).join('\n');
  assert.match(text, /✗ No preset fits into memory: tiny needs \d+ MB, 100 MB are available\./);
  assert.match(text, /✗ No member can run here yet\.$/);
});

test('enough for the smallest only: said, with the preset that fits, and no obstacle', async () => {
  const { problems, canRun, forecasts } = await look({ availableBytes: 450e6 });
  assert.equal(canRun, true);
  assert.deepEqual(
    forecasts.map(({ fits }) => fits),
    [true, false, false],
  );
  assert.match(problems[0]!.problem, /^small needs \d+ MB, 450 MB are available\.$/);
  assert.match(problems[0]!.help, /^folkmoot create --preset tiny/);
});

test('another WebAssembly file: exact is refused with its reason, native still runs', async () => {
  const open: Eyes['open'] = async (kind, options) => {
    if (kind === 'exact') checkExactWasm(Uint8Array.of(0, 97, 115, 109));
    return opens(kind, options);
  };
  const { engines, problems, canRun } = await look({}, { open });
  assert.equal(canRun, true);
  assert.equal(engines.exact.works, false);
  assert.match(problems[0]!.problem, /exact engine does not work: .*not the one members agree on.*hash [0-9a-f]{12}/);
  assert.match(problems[0]!.help, /onnxruntime-web must be exactly 1\.30\.0/);
});

test('no native library: the exact engine is measured and recommended', async () => {
  const open: Eyes['open'] = async (kind, options) => {
    if (kind === 'native')
      throw new WorldError('engine-unavailable', 'It does not work.', { facts: { reason: 'no musl' } });
    return opens(kind, options);
  };
  const { measured, problems, canRun } = await look({}, { open });
  assert.equal(canRun, true);
  assert.equal(measured?.engine, 'exact');
  assert.match(problems[0]!.problem, /no musl/);
  assert.equal(problems[0]!.help, 'folkmoot create --engine exact');
});

test('a GPU is named, opened and measured; an imitated one is only mentioned', async () => {
  const gpu = { engine: 'webgpu', provider: 'webgpu', adapter: 'Card', software: false, available: true } as const;
  const found = await look({}, { detect: async () => [gpu] });
  assert.equal(found.engines.webgpu.works, true);
  assert.equal(found.measured?.engine, 'webgpu');
  const imitated = await look({}, { detect: async () => [{ ...gpu, adapter: 'lavapipe', software: true }] });
  assert.deepEqual(imitated.engines.webgpu, { works: false, reason: 'no GPU was found; there is lavapipe, for tests' });
  assert.equal(imitated.measured?.engine, 'native');
});

test('no engine at all: nothing is measured, nothing foretold', async () => {
  const open: Eyes['open'] = async () => {
    throw new WorldError('engine-unavailable', 'It does not work.');
  };
  const { measured, forecasts, canRun, problems } = await look({}, { open });
  assert.equal(measured, undefined);
  assert.deepEqual(forecasts, []);
  assert.equal(canRun, false);
  assert.equal(problems.filter(({ fatal }) => fatal).length, 2);
});

test('an old Node, a full disk, a home of somebody else, a busy machine: each with a next step', async () => {
  const { problems } = await look({ node: '22.3.0', diskFreeBytes: 1e6, load: 9 });
  assert.deepEqual(
    problems.map(({ fatal }) => fatal),
    [true, true, false],
  );
  assert.ok(problems.every(({ help }) => /folkmoot/.test(help)));
  assert.match((await look({ homeWritable: false })).problems[0]!.problem, /cannot be written/);
});

test('one screen: no line beyond 80 columns, and no more than 24 lines with three problems', async () => {
  const found = await look({ node: '22.3.0', diskFreeBytes: 1e6, load: 9, home: `/home/${'a'.repeat(90)}` });
  const lines = examinationLines(found, false);
  assert.ok(lines.length <= 24, String(lines.length));
  for (const line of lines) assert.ok(line.length <= 80, line);
  assert.equal(examinationLines(found, true).length, lines.length);
});

test('the operations of a step are those of its products, counted one by one', () => {
  for (const preset of Object.keys(PRESETS) as PresetName[]) {
    const config = PRESETS[preset];
    const rows = RUN_PRESETS[preset].batchRows;
    const tokens = rows * config.context;
    let flops = 0;
    // Forward, with respect to the input, with respect to the weight; the tied embedding is a product as the head only.
    for (const { shape } of parameterLayout(config).tensors)
      if (shape.length === 2) flops += 3 * 2 * tokens * shape[0]! * shape[1]!;
    // The queries of a block meet the keys up to its end.
    const size = config.hidden / config.heads;
    for (let head = 0; head < rows * config.layers * config.heads; head++)
      for (let start = 0; start < config.context; start += 128) {
        const end = Math.min(config.context, start + 128);
        flops += 6 * 2 * (end - start) * end * size;
      }
    assert.equal(work(config, rows).flops, flops);
  }
});

test('the forecast of tiny is what was measured, and a faster machine is foretold to be faster', () => {
  const step = (preset: PresetName, speed: typeof SPEED) =>
    stepTimeMs(PRESETS[preset], RUN_PRESETS[preset].batchRows, speed);
  assert.ok(Math.abs(step('tiny', SPEED) - SPEED.tinyStepMs) < 1e-9);
  const twice = { productGflops: 2 * SPEED.productGflops, tinyStepMs: SPEED.tinyStepMs / 2 };
  for (const preset of ['small', 'medium'] as const)
    assert.ok(Math.abs(step(preset, SPEED) / step(preset, twice) - 2) < 1e-9);
  // Muon on `small` took 237 ms on one thread of that machine, less what AdamW would have taken for the same matrices.
  assert.ok(Math.abs(muonFlops(PRESETS.small) / SPEED.productGflops / 1e6 / 237 - 1) < 0.3);
  // One thread of the machine of docs/results, 2026-11-21: 795 and 4,927 ms were measured.
  assert.ok(Math.abs(step('small', SPEED) / 795 - 1) < 0.1);
  assert.ok(Math.abs(step('medium', SPEED) / 4927 - 1) < 0.1);
});
