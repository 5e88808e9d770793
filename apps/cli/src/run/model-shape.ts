/** The model that a command names: a preset, or somebody's own config. */
import { readFile, stat } from 'node:fs/promises';
import { WorldError } from '@folkmoot/core';
import { type ModelConfig, type PresetName, readLlamaConfig } from '@folkmoot/model';
import { nearestPreset, RUN_PRESETS } from '@folkmoot/node';
import type { CharterOptions } from '../commands/member-options.ts';
import { type ModelFolder, openModelFolder } from './model-folder.ts';

/** Published configs have some hundred bytes. */
const MAX_CONFIG_BYTES = 2 ** 20;

/**
 * The preset, or the config of `--model` or `--from` with the preset nearest to it.
 *
 * Throws what `openModelFolder` throws, `no-such-preset`, `model-unreadable`, `huggingface-unsupported`, `model-config`.
 */
export async function shapeOf({
  preset,
  model: path,
  from,
}: CharterOptions): Promise<{ preset: PresetName; model?: ModelConfig; start?: ModelFolder }> {
  if (from !== undefined) {
    const start = await openModelFolder(from);
    return { preset: nearestPreset(start.config), model: start.config, start };
  }
  if (path === undefined) return { preset: presetNamed(preset) };
  const model = readLlamaConfig(await readConfig(path), 'train');
  return { preset: nearestPreset(model), model };
}

async function readConfig(path: string): Promise<string> {
  let found = `it is larger than ${MAX_CONFIG_BYTES} bytes`;
  try {
    if ((await stat(path)).size <= MAX_CONFIG_BYTES) return await readFile(path, 'utf8');
  } catch (error) {
    found = (error as Error).message;
  }
  throw new WorldError('model-unreadable', 'The config of the model cannot be read.', {
    facts: { file: path, found },
    help: 'Give a config.json of a Llama model with --model, or a size with --preset.',
  });
}

/** Throws `no-such-preset`. */
function presetNamed(name: string): PresetName {
  if (name in RUN_PRESETS) return name as PresetName;
  throw new WorldError('no-such-preset', `There is no preset "${name}".`, {
    help: `There are: ${Object.keys(RUN_PRESETS).join(', ')}.`,
  });
}
