import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWorldError } from '@folkmoot/core';
import fc from 'fast-check';
import type { ModelConfig } from './config.ts';
import { llamaConfig, readLlamaConfig } from './llama-config.ts';
import { PRESETS } from './presets.ts';

const read = (fields: object) => readLlamaConfig(JSON.stringify(fields), 'train');

test('what we write is what we read', () => {
  for (const config of Object.values(PRESETS)) assert.deepEqual(read(llamaConfig(config)), config);
  const sizes = fc.record({
    heads: fc.constantFrom(2, 4, 8),
    group: fc.constantFrom(1, 2),
    headSize: fc.constantFrom(2, 8, 64),
    layers: fc.integer({ min: 1, max: 40 }),
    vocab: fc.integer({ min: 257, max: 65_536 }),
    context: fc.integer({ min: 64, max: 4096 }),
    ropeTheta: fc.constantFrom(10_000, 500_000, 1_000_000),
    normEpsilon: fc.constantFrom('0.00001', '0.000001', '0.00000125', '0.01'),
    tied: fc.boolean(),
  });
  fc.assert(
    fc.property(sizes, ({ heads, group, headSize, ...rest }) => {
      const config: ModelConfig = { ...rest, heads, kvHeads: heads / group, hidden: heads * headSize, feedForward: 96 };
      assert.deepEqual(read(llamaConfig(config)), config);
    }),
  );
});

test('absent fields have the values of transformers.LlamaConfig', () => {
  // `LlamaConfig()` of transformers 4.57, but for its size of 6.7 billion: fewer layers.
  assert.deepEqual(read({ model_type: 'llama', num_hidden_layers: 2 }), {
    ...{ vocab: 32_000, hidden: 4096, layers: 2, heads: 32, kvHeads: 32, feedForward: 11_008, context: 2048 },
    ...{ ropeTheta: 10_000, normEpsilon: '0.000001', tied: false },
  });
});

test('configs as they are published, of both generations of transformers', () => {
  // SmolLM-135M, but for its initializer_range.
  const smol = {
    ...{ architectures: ['LlamaForCausalLM'], attention_bias: false, attention_dropout: 0.0, bos_token_id: 0 },
    ...{ eos_token_id: 0, hidden_act: 'silu', hidden_size: 576, initializer_range: 0.02, intermediate_size: 1536 },
    ...{ max_position_embeddings: 2048, mlp_bias: false, model_type: 'llama', num_attention_heads: 9 },
    ...{
      num_hidden_layers: 30,
      num_key_value_heads: 3,
      pretraining_tp: 1,
      rms_norm_eps: 1e-5,
      rope_interleaved: false,
    },
    ...{ rope_scaling: null, rope_theta: 10000.0, tie_word_embeddings: true, torch_dtype: 'bfloat16' },
    ...{ transformers_version: '4.42.3', use_cache: true, vocab_size: 49152, is_llama_config: true },
  };
  const config = read(smol);
  assert.deepEqual([config.hidden, config.heads, config.kvHeads, config.layers, config.vocab], [576, 9, 3, 30, 49_152]);
  const { rope_theta: _theta, rope_scaling: _scaling, torch_dtype: _dtype, ...newer } = smol;
  const rope_parameters = { rope_type: 'default', rope_theta: 10000.0 };
  assert.deepEqual(read({ ...newer, dtype: 'bfloat16', rope_parameters }), config);
  assert.equal(read({ ...newer, rope_parameters: { rope_type: 'default', rope_theta: 500_000 } }).ropeTheta, 500_000);
});

test('what we do not build is refused, with the name of the field', () => {
  const config = llamaConfig(PRESETS.tiny);
  const cases: [RegExp, object][] = [
    [/model_type is "mistral", not "llama"/, { model_type: 'mistral' }],
    [/hidden_act is "gelu"/, { hidden_act: 'gelu' }],
    [/attention_bias is true/, { attention_bias: true }],
    [/mlp_bias is true/, { mlp_bias: true }],
    [/sliding_window is 4096/, { sliding_window: 4096 }],
    [/quantization_config is a structure/, { quantization_config: { bits: 4 } }],
    [/rope_scaling is a structure/, { rope_scaling: { rope_type: 'llama3', factor: 8 } }],
    [/rope_scaling is a structure/, { rope_scaling: { factor: 8 } }],
    [/rope_parameters is a structure/, { rope_parameters: { rope_type: 'yarn', rope_theta: 1 } }],
    [/attention_dropout is 0.1, not 0/, { attention_dropout: 0.1 }],
    [/initializer_range is 0.04, not 0.02/, { initializer_range: 0.04 }],
    [/vocab_size is 128256, not an integer from 1 to 65536/, { vocab_size: 128_256 }],
    [/max_position_embeddings is 131072.* 4096/, { max_position_embeddings: 131_072 }],
    [/tie_word_embeddings is "yes"/, { tie_word_embeddings: 'yes' }],
    [/head_dim is not hidden_size \/ num_attention_heads/, { head_dim: 64 }],
    [/the field "num_local_experts" is unknown here/, { num_local_experts: 8 }],
    [/parameters, and a run holds at most/, { hidden_size: 65_536, num_attention_heads: 1024, head_dim: 64 }],
  ];
  for (const [why, changes] of cases)
    assert.throws(
      () => read({ ...config, ...changes }),
      (error) => isWorldError(error, 'huggingface-unsupported') && why.test(error.message) && /field/.test(error.help),
      `${why}`,
    );
  assert.throws(() => read({ ...config, vocab_size: 256 }), { code: 'model-config' });
  // An import does not start from nothing.
  const trained = JSON.stringify({ ...config, attention_dropout: 0.1, initializer_range: 0.04 });
  assert.deepEqual(readLlamaConfig(trained, 'import'), PRESETS.tiny);
});
