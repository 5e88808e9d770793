import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { type Engine, summarizeProgram } from '@folkmoot/tensor';
import { createEngine } from '@folkmoot/tensor/node';
import type { ModelConfig } from './config.ts';
import { initialParameters } from './initial.ts';
import { parameterLayout } from './layout.ts';
import { PRESETS } from './presets.ts';
import { evaluateProgram, gradientName, logitsProgram, trainProgram } from './programs.ts';

interface Golden {
  readonly config: ModelConfig;
  readonly rows: number;
  readonly tokens: number[];
  readonly targets: number[];
  readonly loss: number;
  readonly nll: number[];
  readonly logits: string;
  readonly gradients: Record<string, string>;
}

const goldens = JSON.parse(readFileSync(new URL('../golden/decoder.json', import.meta.url), 'utf8')) as Golden[];
const SEED = '5eed'.repeat(16);

let engine: Engine;
before(async () => {
  engine = await createEngine('native', { threads: 2 });
});
after(() => engine.close());

for (const golden of goldens) {
  const { config, rows } = golden;
  const feeds = {
    ...goldenParameters(config),
    tokens: Int32Array.from(golden.tokens),
    targets: Int32Array.from(golden.targets),
  };

  test(`a decoder with ${config.tied ? 'a tied' : 'its own'} head: loss and all gradients are PyTorch's`, async () => {
    const result = await (await engine.load(trainProgram(config, rows))).run(feeds);
    assert.ok(Math.abs(result.loss![0]! - golden.loss) < 2e-6, `loss ${result.loss![0]} should be ${golden.loss}`);
    for (const [name, packed] of Object.entries(golden.gradients))
      assertNear(result[gradientName(name)] as Float32Array, unpack(packed), gradientName(name));
  });

  test(`a decoder with ${config.tied ? 'a tied' : 'its own'} head: losses by row and logits are PyTorch's`, async () => {
    const { nll } = await (await engine.load(evaluateProgram(config, rows))).run(feeds);
    assertNear(nll as Float32Array, Float32Array.from(golden.nll), 'nll');
    const { targets: _, ...parameters } = feeds;
    const tokens = feeds.tokens.slice(0, config.context).fill(0, 5); // right of the position: anything
    const run = await (await engine.load(logitsProgram(config))).run({
      ...parameters,
      tokens,
      position: Int32Array.of(4),
    });
    assertNear(run.logits as Float32Array, unpack(golden.logits), 'logits');
  });
}

test('inputs and outputs of the train program are the layout, by name and shape', () => {
  for (const config of Object.values(PRESETS)) {
    const { inputs, outputs } = trainProgram(config, 2);
    const { tensors } = parameterLayout(config);
    const shapes = (specs: readonly { name: string; shape: readonly number[] }[]) =>
      specs.map(({ name, shape }) => `${name} [${shape}]`);
    assert.deepEqual(shapes(inputs.slice(0, -2)), shapes(tensors));
    assert.deepEqual(shapes(outputs.slice(1)), shapes(tensors.map((t) => ({ ...t, name: gradientName(t.name) }))));
    assert.deepEqual(shapes(inputs.slice(-2)), [`tokens [${2 * config.context}]`, `targets [${2 * config.context}]`]);
  }
});

test('no output of the train program is a copy', () => {
  assert.equal(summarizeProgram(trainProgram(PRESETS.tiny, 1).bytes).operators.get('Identity'), undefined);
});

test('the bytes of the programs are frozen: changing them is a decision', () => {
  const ids = [trainProgram(PRESETS.tiny, 4), evaluateProgram(PRESETS.tiny, 4), logitsProgram(PRESETS.tiny)].map(
    ({ id }) => id.slice(0, 16),
  );
  assert.deepEqual(ids, ['6dd33a4b89a8a4b9', '51310b14addd68b0', '5386919bebe69732']);
});

test('memory plans change no bit, in short contexts and in long ones', async () => {
  const long: ModelConfig = { ...PRESETS.tiny, hidden: 32, heads: 2, kvHeads: 1, feedForward: 64, context: 768 };
  for (const config of [PRESETS.tiny, long]) {
    const results = [];
    for (const plan of ['plain', 'ordered', 'recompute'] as const) {
      const executable = await engine.load(trainProgram(config, 1, { plan }));
      const { tensors } = parameterLayout(config);
      const arena = initialParameters(config, SEED);
      const parameters = tensors.map(({ name, offset, elements }) => [name, arena.slice(offset, offset + elements)]);
      const tokens = Int32Array.from({ length: config.context }, (_, i) => (i * 7919) % config.vocab);
      results.push(await executable.run({ ...Object.fromEntries(parameters), tokens, targets: tokens }));
      await executable.free();
    }
    assert.deepEqual(results[1], results[0]);
    assert.deepEqual(results[2], results[0]);
  }
});

test('a z-loss changes the gradients and not the loss that is told', async () => {
  const config = PRESETS.tiny;
  const arena = initialParameters(config, SEED);
  const { tensors } = parameterLayout(config);
  const parameters = tensors.map(({ name, offset, elements }) => [name, arena.slice(offset, offset + elements)]);
  const tokens = Int32Array.from({ length: config.context }, (_, i) => (i * 7919) % config.vocab);
  const results = [];
  for (const zLoss of ['0', '0.0001']) {
    const executable = await engine.load(trainProgram(config, 1, { zLoss }));
    results.push(await executable.run({ ...Object.fromEntries(parameters), tokens, targets: tokens }));
  }
  const [plain, withZ] = results;
  assert.deepEqual(withZ!.loss, plain!.loss);
  // log Σ exp z is near ln V here, so each logit is owed about 2·0.0001·ln V/V more.
  const name = gradientName('model.embed_tokens.weight');
  assert.notDeepEqual(withZ![name], plain![name]);
  assertNear(withZ![name] as Float32Array, plain![name] as Float32Array, name, 1e-2);
});

test('a long context has no square of scores in it', () => {
  const config = { ...PRESETS.tiny, context: 4096 };
  const { operators } = summarizeProgram(trainProgram(config, 1).bytes);
  // Two layers, a softmax for each of 16 blocks of queries in each direction, and the one over the vocabulary.
  assert.equal(operators.get('Softmax'), 2 * 16 * 2 + 1);
});

test('training lowers the loss from ln V', async () => {
  const { losses } = await trainRepetition(engine, 12);
  assert.ok(Math.abs(losses[0]! - Math.log(PRESETS.tiny.vocab)) < 0.2, `first loss ${losses[0]}`);
  assert.ok(losses.at(-1)! < losses[0]! / 2, `losses ${losses}`);
});

for (const kind of ['native', 'exact'] as const)
  test(`${kind}: the number of threads does not change a bit`, async () => {
    const results = [];
    for (const threads of [1, 2, 3]) {
      const other = await createEngine(kind, { threads });
      results.push(await trainRepetition(other, 2));
      await other.close();
    }
    for (const result of results) assert.deepEqual(result, results[0]);
  });

/** Plain gradient descent on one row that repeats. */
async function trainRepetition(on: Engine, steps: number) {
  const config = PRESETS.tiny;
  const { tensors } = parameterLayout(config);
  const arena = initialParameters(config, SEED);
  const executable = await on.load(trainProgram(config, 1));
  const tokens = Int32Array.from({ length: config.context }, (_, i) => 100 + (i % 4));
  const targets = Int32Array.from(tokens, (_, i) => 100 + ((i + 1) % 4));
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const parameters = tensors.map(({ name, offset, elements }) => [name, arena.slice(offset, offset + elements)]);
    const result = await executable.run({ ...Object.fromEntries(parameters), tokens, targets });
    losses.push(result.loss![0]!);
    for (const { name, offset } of tensors)
      for (const [i, slope] of result[gradientName(name)]!.entries()) arena[offset + i]! -= 0.05 * slope;
  }
  return { losses, arena };
}

/** The formula of `golden/make_golden.py`. */
function goldenParameters(config: ModelConfig): Record<string, Float32Array> {
  const make = (name: string, shape: readonly number[], elements: number) => {
    const seed = [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
    const start = shape.length === 1 ? 1 : 0;
    return Float32Array.from(
      { length: elements },
      (_, i) => start + (((i * 7919 + seed * 104_729) % 2001) - 1000) / 4000,
    );
  };
  return Object.fromEntries(parameterLayout(config).tensors.map((t) => [t.name, make(t.name, t.shape, t.elements)]));
}

function unpack(text: string): Float32Array {
  return new Float32Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
}

/** Relative to the largest element. */
function assertNear(actual: Float32Array, expected: Float32Array, what: string, tolerance = 1e-5): void {
  assert.equal(actual.length, expected.length, what);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (const [i, value] of expected.entries())
    assert.ok(
      Math.abs(actual[i]! - value) <= tolerance * largest,
      `${what}, element ${i}: ${actual[i]} should be ${value}`,
    );
}
