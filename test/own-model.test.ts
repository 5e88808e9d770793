/** A model and data of one's own, as they lie on a disk: a Hugging Face config, a Parquet file, compressed text. */
import assert from 'node:assert/strict';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { projectRoot, World } from './harness.ts';

const CONFIG = {
  ...{ architectures: ['LlamaForCausalLM'], model_type: 'llama', vocab_size: 400, hidden_size: 48 },
  ...{ intermediate_size: 96, num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2 },
  ...{ max_position_embeddings: 32, rms_norm_eps: 1e-6, rope_theta: 50_000, tie_word_embeddings: false },
};

test('up --model config.json --data DIR: trained, evaluated, and exported with the same config', async (t) => {
  const world = new World(t);
  const [data, config] = [join(world.folder, 'texts'), join(world.folder, 'config.json')];
  writeData(data);
  writeFileSync(config, JSON.stringify(CONFIG));
  const args = [
    '--model',
    config,
    '--data',
    data,
    '--text-column',
    'story',
    '--members',
    '2',
    '--rounds',
    '1',
    '--exit',
  ];
  const up = world.start('up', ['up', '--yes', ...args, '--threads', '1']);
  const summary = await up.summary();
  assert.equal(summary.rounds, 1);
  assert.match(up.stderr, /Read \d+ documents/);
  assert.match(up.stderr, /learning a vocabulary of 400 tokens/);

  const evaluate = world.start('up', ['evaluate', '--rows', '8']);
  assert.equal((await evaluate.ended).code, 0, evaluate.output);
  const [score] = evaluate.lines;
  assert.equal(score!.base, summary.baseId);
  assert.equal(score!.tokens, 8 * 32);

  const folder = join(world.folder, 'model');
  const exported = world.start('up', ['export', '--to', folder]);
  assert.equal((await exported.ended).code, 0, exported.output);
  const written = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
  assert.deepEqual({ ...written, ...CONFIG }, written);

  // Whoever has the folder can go on from it: the new run's first base is what was exported.
  const from = ['--from', folder, '--data', data, '--text-column', 'story'];
  const next = world.start('next', ['create', '--yes', ...from, '--listen', '127.0.0.1']);
  await next.started();
  assert.match(next.stderr, /reading the weights/);
  assert.doesNotMatch(next.stderr, /learning a vocabulary/);
  const status = world.start('next', ['status']);
  assert.equal((await status.ended).code, 0, status.output);
  assert.equal((status.lines[0] as { charter?: { initialBase?: string } }).charter?.initialBase, summary.baseId);
});

test('--model: what cannot be built is refused before the data is read', async (t) => {
  const world = new World(t);
  const config = join(world.folder, 'config.json');
  writeFileSync(config, JSON.stringify({ ...CONFIG, hidden_act: 'gelu' }));
  const refused = world.start('a', ['create', '--yes', '--model', config, '--data', '/absent']);
  const { code, message } = await refused.failure();
  assert.equal(code, 'huggingface-unsupported');
  assert.match(message, /hidden_act is "gelu", not "silu"/);
  const both = world.start('b', ['create', '--yes', '--model', config, '--preset', 'small']);
  assert.equal((await both.ended).code, 2);
});

/** The project's own documents, in the forms in which text is passed around. */
function writeData(folder: string): void {
  mkdirSync(folder);
  const texts = globSync('{docs/**/*.md,packages/core/src/*.ts}', { cwd: projectRoot })
    .sort()
    .map((path) => readFileSync(join(projectRoot, path), 'utf8'));
  const half = texts.length >> 1;
  const table = parquetWriteBuffer({ columnData: [{ name: 'story', data: texts.slice(0, half) }] });
  writeFileSync(join(folder, 'a.parquet'), new Uint8Array(table));
  const lines = texts.slice(half).map((story) => JSON.stringify({ story }));
  writeFileSync(join(folder, 'b.jsonl.gz'), gzipSync(lines.join('\n')));
}
