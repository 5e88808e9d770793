/** A model as a Hugging Face folder, and back. */
import { assert, bytesOf, concat, sha256, utf8, WorldError } from '@folkmoot/core';
import type { ModelConfig } from './config.ts';
import { parameterLayout } from './layout.ts';
import { llamaConfig, readLlamaConfig } from './llama-config.ts';
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
export function exportFiles(model: ExportedModel): Map<string, Uint8Array> {
  return new Map([...exportParts(model)].map(([name, parts]) => [name, concat(parts)]));
}

/** The same files in parts that follow each other: the parameters are not copied. */
export function exportParts(model: ExportedModel): Map<string, readonly Uint8Array[]> {
  const { config, params, tokenizerJson, lineage } = model;
  const { tensors, elements } = parameterLayout(config);
  assert(params.length === elements, `an arena of ${elements} elements, not ${params.length}`);
  assert(sha256(bytesOf(params)) === lineage.base, 'the parameters are those of the base');
  const entries = tensors.map(({ name, shape }) => ({ name, shape, dtype: 'F32' as const }));
  const header = writeSafetensorsHeader(entries, { format: 'pt', run: lineage.run, base: lineage.base });
  return new Map([
    ['config.json', [json(llamaConfig(config))]],
    ['generation_config.json', [json({ bos_token_id: END_OF_TEXT_ID, eos_token_id: END_OF_TEXT_ID, do_sample: true })]],
    ['model.safetensors', [header, bytesOf(params)]],
    ['tokenizer.json', [tokenizerJson]],
    ['tokenizer_config.json', [json(tokenizerConfig(config))]],
    ['README.md', [utf8(modelCard(config, elements, lineage))]],
  ]);
}

/**
 * The model of a `config.json` and a `model.safetensors` with float32 tensors.
 *
 * Throws `huggingface-unsupported` for another architecture or a tensor that is missing, unknown or of another shape,
 * `model-config` for sizes we cannot build, `safetensors-invalid` for a damaged file.
 */
export function importHuggingFace(configText: string, file: Uint8Array): { config: ModelConfig; params: Float32Array } {
  const config = readLlamaConfig(configText, 'import');
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

function tokenizerConfig({ context }: ModelConfig): Record<string, unknown> {
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: END_OF_TEXT,
    eos_token: END_OF_TEXT,
    model_max_length: context,
    clean_up_tokenization_spaces: false,
  };
}

function json(value: unknown): Uint8Array {
  return utf8(`${JSON.stringify(value, null, 2)}\n`);
}

function unsupported(why: string): WorldError {
  return new WorldError('huggingface-unsupported', `This model cannot be imported: ${why}.`, {
    help: 'Import a Llama model with float32 weights, such as one made by `./folkmoot export`.',
  });
}
