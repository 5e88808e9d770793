/** `config.json` of a Llama model, as `transformers.LlamaConfig` writes and reads it. */
import { type JsonBounds, parseBoundedJson, utf8, WorldError } from '@folkmoot/core';
import { checkModelConfig, type ModelConfig } from './config.ts';
import { parameterLayout } from './layout.ts';
import { END_OF_TEXT_ID, MAX_VOCABULARY } from './vocabulary.ts';

/** Ten times what published ones have: some list every label of a classifier. */
const BOUNDS: JsonBounds = { depth: 8, containers: 1024, commas: 2 ** 16 };

/** Field by field what `transformers.LlamaConfig` takes. */
export function llamaConfig(config: ModelConfig): Record<string, unknown> {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: config.vocab,
    hidden_size: config.hidden,
    intermediate_size: config.feedForward,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.kvHeads,
    head_dim: config.hidden / config.heads,
    max_position_embeddings: config.context,
    hidden_act: 'silu',
    rms_norm_eps: Number(config.normEpsilon),
    rope_theta: config.ropeTheta,
    rope_scaling: null,
    attention_bias: false,
    attention_dropout: 0,
    mlp_bias: false,
    initializer_range: 0.02,
    tie_word_embeddings: config.tied,
    bos_token_id: END_OF_TEXT_ID,
    eos_token_id: END_OF_TEXT_ID,
    torch_dtype: 'float32',
    use_cache: true,
  };
}

/**
 * The shape that a `config.json` describes; a field that is absent has the value that `transformers` gives it.
 *
 * `use`: `train` also refuses what only matters to a model that starts from nothing. Throws `huggingface-unsupported`,
 * naming the field, for what we do not build and for fields that we do not know, `model-config` for sizes that do not go
 * together.
 */
export function readLlamaConfig(text: string, use: 'import' | 'train'): ModelConfig {
  const fields = parseConfig(text);
  checkMeaning(fields, use);
  // The limits are those of a charter; they also bound the work of building a layout for a stranger's config.
  const size = (name: string, limit: number, usual: number, from: Record<string, unknown> = fields) => {
    const value = from[name] ?? usual;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > limit)
      throw unsupported(`${name} is ${shown(value)}, not an integer from 1 to ${limit}`);
    return value;
  };
  const heads = size('num_attention_heads', 1024, 32);
  const hidden = size('hidden_size', 65_536, 4096);
  if (size('head_dim', hidden, hidden / heads) !== hidden / heads)
    throw unsupported('head_dim is not hidden_size / num_attention_heads');
  const config: ModelConfig = {
    vocab: size('vocab_size', MAX_VOCABULARY, 32_000),
    hidden,
    layers: size('num_hidden_layers', 1024, 32),
    heads,
    kvHeads: size('num_key_value_heads', heads, heads),
    feedForward: size('intermediate_size', 1_048_576, 11_008),
    context: size('max_position_embeddings', 4096, 2048),
    ropeTheta: size('rope_theta', 1_000_000_000, 10_000, { ...fields, ...ropeFields(fields) }),
    normEpsilon: decimalText(fields.rms_norm_eps ?? 1e-6),
    tied: boolean(fields, 'tie_word_embeddings', false),
  };
  checkModelConfig(config);
  const { elements } = parameterLayout(config);
  if (elements > 2 ** 31) throw unsupported(`it has ${elements} parameters, and a run holds at most ${2 ** 31}`);
  return config;
}

/** Fields that change the arithmetic, with the one value that we compute. */
const MEANING: readonly [string, unknown][] = [
  ['model_type', 'llama'],
  ['hidden_act', 'silu'],
  ['attention_bias', false],
  ['mlp_bias', false],
  ['partial_rotary_factor', 1],
  ['rope_interleaved', false],
  ['sliding_window', null],
  ['quantization_config', null],
];

/** Fields of training: initial parameters have a deviation of 0.02, and nothing is dropped. */
const TRAINING: readonly [string, unknown][] = [
  ['attention_dropout', 0],
  ['initializer_range', 0.02],
];

/** Read above, or without a meaning for the arithmetic; special tokens are those of our tokenizer. */
const HARMLESS = new Set(
  (
    'vocab_size hidden_size intermediate_size num_hidden_layers num_attention_heads num_key_value_heads head_dim ' +
    'max_position_embeddings rms_norm_eps rope_theta rope_parameters rope_scaling tie_word_embeddings architectures ' +
    'attention_dropout initializer_range bos_token_id eos_token_id pad_token_id torch_dtype dtype use_cache ' +
    'transformers_version pretraining_tp is_llama_config output_attentions output_hidden_states return_dict'
  ).split(' '),
);

function checkMeaning(fields: Record<string, unknown>, use: 'import' | 'train'): void {
  for (const [name, value] of use === 'train' ? [...MEANING, ...TRAINING] : MEANING)
    if ((fields[name] ?? value) !== value) throw unsupported(`${name} is ${shown(fields[name])}, not ${shown(value)}`);
  const known = (name: string) => HARMLESS.has(name) || name.startsWith('_') || MEANING.some(([one]) => one === name);
  const stranger = Object.keys(fields).find((name) => !known(name));
  if (stranger !== undefined)
    throw unsupported(`the field ${shown(stranger)} is unknown here, and may change what the model computes`);
}

/** Where rotary embeddings are told of: `rope_scaling` until transformers 4, `rope_parameters` since 5. */
function ropeFields(fields: Record<string, unknown>): Record<string, unknown> {
  let found: Record<string, unknown> = {};
  for (const name of ['rope_scaling', 'rope_parameters']) {
    const value = fields[name] ?? {};
    if (typeof value !== 'object' || Array.isArray(value))
      throw unsupported(`${name} is ${shown(value)}, not an object`);
    const { rope_type, type, ...rest } = value as Record<string, unknown>;
    const kind = rope_type ?? type ?? (Object.keys(value).length === 0 ? 'default' : undefined);
    const stranger = Object.keys(rest).find((field) => field !== 'rope_theta');
    if (kind !== 'default' || stranger !== undefined)
      throw unsupported(`${name} is ${shown(value)}, not plain rotation`);
    found = { ...found, ...rest };
  }
  return found;
}

function parseConfig(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseBoundedJson(utf8(text), BOUNDS);
  } catch {
    throw unsupported('config.json is not JSON, or more of it than a model needs');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw unsupported('config.json is not a JSON object');
  return value as Record<string, unknown>;
}

function boolean(fields: Record<string, unknown>, name: string, usual: boolean): boolean {
  const value = fields[name] ?? usual;
  if (typeof value !== 'boolean') throw unsupported(`${name} is ${shown(value)}, not true or false`);
  return value;
}

/** 1e-6 as `0.000001`: configs hold decimals without exponents. */
function decimalText(value: unknown): string {
  if (typeof value !== 'number' || !(value >= 1e-12 && value < 1))
    throw unsupported(`rms_norm_eps is ${shown(value)}, not in [1e-12, 1)`);
  const [digits, exponent] = String(value).split('e-');
  return exponent ? `0.${'0'.repeat(Number(exponent) - 1)}${digits!.replace('.', '')}` : digits!;
}

/** A value of a stranger's config, for a message: nesting without end would overflow the stack. */
function shown(value: unknown): string {
  return typeof value === 'object' && value !== null ? 'a structure' : String(JSON.stringify(value)).slice(0, 80);
}

function unsupported(why: string): WorldError {
  return new WorldError('huggingface-unsupported', `This config.json cannot be used: ${why}.`, {
    help: 'Give the config of a plain Llama model, such as one made by `./folkmoot export`, or change or remove the field.',
  });
}
