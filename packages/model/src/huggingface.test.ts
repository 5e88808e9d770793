import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesOf, fromUtf8, isWorldError, sha256 } from '@folkmoot/core';
import type { ModelConfig } from './config.ts';
import { exportFiles, importHuggingFace } from './huggingface.ts';
import { initialParameters } from './initial.ts';
import { parameterLayout } from './layout.ts';
import type { Lineage } from './model-card.ts';
import { readSafetensorsHeader } from './safetensors.ts';
import { Tokenizer } from './tokenizer.ts';

const CONFIG: ModelConfig = {
  vocab: 257,
  hidden: 16,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  feedForward: 24,
  context: 16,
  ropeTheta: 10_000,
  normEpsilon: '0.00000125',
  tied: false,
};

function exported(config: ModelConfig, changes: Partial<Lineage> = {}) {
  const params = initialParameters(config, 'export');
  const lineage: Lineage = {
    name: 'village',
    run: 'ab'.repeat(32),
    base: sha256(bytesOf(params)),
    rounds: 8,
    licence: 'Apache-2.0',
    members: [{ id: `0x${'12'.repeat(20)}`, credits: 30 }],
    data: [{ licence: 'MIT', documents: 12, bytes: 3456 }],
    ...changes,
  };
  return {
    params,
    lineage,
    files: exportFiles({ config, params, tokenizerJson: new Tokenizer([]).toJson(), lineage }),
  };
}

function textOf(files: Map<string, Uint8Array>, name: string): string {
  return fromUtf8(files.get(name)!);
}

test('a model comes back as it was', () => {
  for (const tied of [true, false]) {
    const config = { ...CONFIG, tied };
    const { params, files } = exported(config);
    const back = importHuggingFace(textOf(files, 'config.json'), files.get('model.safetensors')!);
    assert.deepEqual(back, { config, params });
  }
});

test('the folder has every file, and the weights behind the header hash to the base', () => {
  const { lineage, files } = exported(CONFIG);
  assert.deepEqual([...files.keys()].sort(), [
    'README.md',
    'config.json',
    'generation_config.json',
    'model.safetensors',
    'tokenizer.json',
    'tokenizer_config.json',
  ]);
  const file = files.get('model.safetensors')!;
  const header = readSafetensorsHeader(file, file.length);
  assert.equal(sha256(file.subarray(header.dataStart)), lineage.base);
  assert.equal(header.metadata.get('format'), 'pt', 'transformers refuses files without it');
  assert.ok(header.entries.some(({ name }) => name === 'lm_head.weight'));
  const config = JSON.parse(textOf(files, 'config.json'));
  assert.deepEqual(config.architectures, ['LlamaForCausalLM']);
  assert.equal(config.head_dim, 4);
  assert.equal(config.rms_norm_eps, 1.25e-6);
  assert.equal(JSON.parse(textOf(files, 'tokenizer_config.json')).eos_token, '<|endoftext|>');
});

test('the card tells the lineage, and a hostile name stays a name', () => {
  const name = 'x\n---\n# <script>alert(1)</script> | `a` [b](c)';
  const { lineage, files } = exported(CONFIG, { name, licence: 'MIT"\nevil: true', holdoutLoss: 2.5 });
  const card = textOf(files, 'README.md');
  for (const fact of [lineage.run, lineage.base, lineage.members[0]!.id, '2.5000 nats', '| MIT | 12 | 3456 |'])
    assert.ok(card.includes(fact), fact);
  assert.ok(!/<script|\[b\]|^evil/m.test(card));
  assert.equal(card.match(/^---$/gm)!.length, 2);
});

test('models that are not ours are refused with a reason', () => {
  const { files } = exported(CONFIG);
  const weights = files.get('model.safetensors')!;
  const config = JSON.parse(textOf(files, 'config.json'));
  const cases: [RegExp, unknown][] = [
    [/not a JSON object/, null],
    [/model_type is "mistral"/, { ...config, model_type: 'mistral' }],
    [/rope_scaling/, { ...config, rope_scaling: { type: 'linear' } }],
    [/head_dim/, { ...config, head_dim: 8 }],
    [/num_hidden_layers/, { ...config, num_hidden_layers: 1e9 }],
    [/hidden_size/, { ...config, hidden_size: '16' }],
    [/rms_norm_eps/, { ...config, rms_norm_eps: 0 }],
    [/tensor model\.layers\.2\..* is missing/, { ...config, num_hidden_layers: 3 }],
    [/is \[257,16\], not \[300,16\]/, { ...config, vocab_size: 300 }],
    [/lacks: lm_head\.weight/, { ...config, tie_word_embeddings: true }],
  ];
  for (const [why, changed] of cases)
    assert.throws(
      () => importHuggingFace(JSON.stringify(changed), weights),
      (error) => isWorldError(error, 'huggingface-unsupported') && why.test(error.message),
      `${why}`,
    );
  assert.throws(
    () => importHuggingFace(JSON.stringify({ ...config, num_key_value_heads: 3 }), weights),
    (error) => isWorldError(error, 'model-config'),
  );
  assert.throws(
    () => importHuggingFace(JSON.stringify(config), weights.subarray(0, -4)),
    (error) => isWorldError(error, 'safetensors-invalid'),
  );
});

test('an export of other parameters than the base is a bug', () => {
  assert.throws(() => exported(CONFIG, { base: '00'.repeat(32) }), /bug/);
  assert.equal(parameterLayout(CONFIG).elements, exported(CONFIG).params.length);
});
