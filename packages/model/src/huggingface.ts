/** A model as a Hugging Face folder, and back. */
import { assert, bytesOf, concat, sha256, utf8, WorldError } from '@folkmoot/core';
import { checkModelConfig, type ModelConfig } from './config.ts';
import { parameterLayout } from './layout.ts';
import { type Lineage, modelCard } from './model-card.ts';
import { float32Of, readSafetensorsHeader, writeSafetensorsHeader } from './safetensors.ts';
import { END_OF_TEXT, END_OF_TEXT_ID } from './vocabulary.ts';

export interface ExportedModel {
  readonly config: ModelConfig;
  /** The arena, N elements; its sha-256 is `lineage.base`. */
  readonly params: Float32Array;
  /** `tokenizer.json` as `Tokenizer.toJson` writes it. */
  readonly tokenizerJson: Uint8Array;
  readonly lineage: Lineage;
}

/**
 * The files of a folder that `transformers` loads, by name.
 *
 * In `model.safetensors` the tensors stand in the order of the arena, so that the sha-256 of everything behind its
 * header is the id of the base: whoever has the folder can check it against the run without our code.
 */
export function exportFiles({ config, params, tokenizerJson, lineage }: ExportedModel): Map<string, Uint8Array> {
  const { tensors, elements } = parameterLayout(config);
  assert(params.length === elements, `an arena of ${elements} elements, not ${params.length}`);
  assert(sha256(bytesOf(params)) === lineage.base, 'the parameters are those of the base');
  const entries = tensors.map(({ name, shape }) => ({ name, shape, dtype: 'F32' as const }));
  const header = writeSafetensorsHeader(entries, { format: 'pt', run: lineage.run, base: lineage.base });
  return new Map([
    ['config.json', json(llamaConfig(config))],
    ['generation_config.json', json({ bos_token_id: END_OF_TEXT_ID, eos_token_id: END_OF_TEXT_ID, do_sample: true })],
    ['model.safetensors', concat([header, bytesOf(params)])],
    ['tokenizer.json', tokenizerJson],
    ['tokenizer_config.json', json(tokenizerConfig(config))],
    ['README.md', utf8(modelCard(config, elements, lineage))],
  ]);
}

/**
 * The model of a `config.json` and a `model.safetensors` with float32 tensors.
 *
 * Throws `huggingface-unsupported` for another architecture or a tensor that is missing, unknown or of another shape,
 * `model-config` for sizes we cannot build, `safetensors-invalid` for a damaged file.
 */
export function importHuggingFace(configText: string, file: Uint8Array): { config: ModelConfig; params: Float32Array } {
  const config = readLlamaConfig(configText);
  const { tensors, elements } = parameterLayout(config);
  const header = readSafetensorsHeader(file, file.length);
  const entries = new Map(header.entries.map((entry) => [entry.name, entry]));
  // Before memory is taken: as many tensors, each of the right shape, so the file is as long as the arena.
  for (const { name, shape } of tensors) {
    const found = entries.get(name)?.shape;
    if (!found) throw unsupported(`the tensor ${name} is missing`);
    if (found.join() !== shape.join()) throw unsupported(`the tensor ${name} is [${found}], not [${shape}]`);
  }
  const known = new Set(tensors.map(({ name }) => name));
  const stranger = header.entries.find(({ name }) => !known.has(name));
  if (stranger)
    throw unsupported(`there is a tensor that a Llama model of this config lacks: ${stranger.name.slice(0, 80)}`);
  const params = new Float32Array(elements);
  for (const { name, offset } of tensors) params.set(float32Of(file, header, entries.get(name)!), offset);
  return { config, params };
}

/** Field by field what `transformers.LlamaConfig` takes. */
function llamaConfig(config: ModelConfig): Record<string, unknown> {
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

function tokenizerConfig({ context }: ModelConfig): Record<string, unknown> {
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: END_OF_TEXT,
    eos_token: END_OF_TEXT,
    model_max_length: context,
    clean_up_tokenization_spaces: false,
  };
}

function readLlamaConfig(text: string): ModelConfig {
  const fields = parseConfig(text);
  const required: [string, unknown][] = [
    ['model_type', 'llama'],
    ['hidden_act', 'silu'],
    ['attention_bias', false],
    ['mlp_bias', false],
    ['rope_scaling', null],
  ];
  for (const [name, value] of required)
    if ((fields[name] ?? value) !== value)
      throw unsupported(`${name} is ${shortly(fields[name])}, not ${value}`);
  // The limits are those of a charter; they also bound the work of building a layout for a stranger's config.
  const size = (name: string, limit: number, fallback?: number) => {
    const value = fields[name] ?? fallback;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > limit)
      throw unsupported(`${name} is not an integer from 1 to ${limit}`);
    return value;
  };
  const heads = size('num_attention_heads', 1024);
  const hidden = size('hidden_size', 65_536);
  if (size('head_dim', hidden, hidden / heads) !== hidden / heads)
    throw unsupported('head_dim is not hidden_size / heads');
  const config: ModelConfig = {
    vocab: size('vocab_size', 65_536),
    hidden,
    layers: size('num_hidden_layers', 1024),
    heads,
    kvHeads: size('num_key_value_heads', heads, heads),
    feedForward: size('intermediate_size', 1_048_576),
    context: size('max_position_embeddings', 4096),
    ropeTheta: size('rope_theta', 1_000_000_000, 10_000),
    normEpsilon: decimalText(fields.rms_norm_eps),
    tied: fields.tie_word_embeddings === true,
  };
  checkModelConfig(config);
  return config;
}

function parseConfig(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw unsupported('config.json is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw unsupported('config.json is not a JSON object');
  return value as Record<string, unknown>;
}

/** 1e-6 as `0.000001`: configs hold decimals without exponents. */
function decimalText(value: unknown): string {
  if (typeof value !== 'number' || !(value >= 1e-12 && value < 1))
    throw unsupported('rms_norm_eps is not in [1e-12, 1)');
  const [digits, exponent] = String(value).split('e-');
  return exponent ? `0.${'0'.repeat(Number(exponent) - 1)}${digits!.replace('.', '')}` : digits!;
}

function json(value: unknown): Uint8Array {
  return utf8(`${JSON.stringify(value, null, 2)}\n`);
}

/** A value of a stranger's config, for a message: nesting without end would overflow the stack. */
function shortly(value: unknown): string {
  return typeof value === 'object' && value !== null ? 'a structure' : String(JSON.stringify(value)).slice(0, 80);
}

function unsupported(why: string): WorldError {
  return new WorldError('huggingface-unsupported', `This model cannot be imported: ${why}.`, {
    help: 'Import a Llama model with float32 weights, such as one made by `./folkmoot export`.',
  });
}
