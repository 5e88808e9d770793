/** A Hugging Face folder as the start of a run: its config, its tokenizer, its weights in one file or several. */
import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Hash, type JsonBounds, parseBoundedJson, WorldError } from '@folkmoot/core';
import {
  MAX_TOKENIZER_BYTES,
  type ModelConfig,
  parameterLayout,
  readLlamaConfig,
  Tokenizer,
  type WeightsFile,
  weightPieces,
} from '@folkmoot/model';
import type { DiskStore } from '@folkmoot/store';

/** Published configs have some hundred bytes, an index some hundred for each tensor. */
const MAX_CONFIG_BYTES = 2 ** 20;
const MAX_INDEX_BYTES = 2 ** 24;
/** A name of a file for each of a quarter of a million tensors. */
const INDEX_BOUNDS: JsonBounds = { depth: 4, containers: 16, commas: 2 ** 18 };
const MAX_SHARDS = 1000;

export interface ModelFolder {
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  /** The id of the weights as a base: float32 in the arena's order. Reads all of them. */
  baseId(): Promise<Hash>;
  /** Files that base; it is never in memory as a whole. */
  fileBase(store: DiskStore, id: Hash): Promise<void>;
}

/**
 * Reads config and tokenizer of `folder`.
 *
 * Throws `model-unreadable`, `huggingface-unsupported`, `model-config`, `tokenizer-malformed` for another tokenizer than ours;
 * its methods `weights-unsuitable`, `safetensors-invalid`.
 */
export async function openModelFolder(folder: string): Promise<ModelFolder> {
  const text = async (name: string, most: number) => new TextDecoder().decode(await read(folder, name, most));
  const config = readLlamaConfig(await text('config.json', MAX_CONFIG_BYTES), 'import');
  const tokenizer = Tokenizer.fromJson(await read(folder, 'tokenizer.json', MAX_TOKENIZER_BYTES));
  if (tokenizer.vocab > config.vocab)
    throw unreadable(folder, `its tokenizer has ${tokenizer.vocab} tokens, and its model ${config.vocab}`);
  const pieces = () => eachPiece(folder, config);
  return {
    config,
    tokenizer,
    baseId: async () => {
      const hash = createHash('sha256');
      for await (const piece of pieces()) hash.update(piece);
      return hash.digest('hex');
    },
    fileBase: async (store, id) => {
      const incoming = await store.receive(id, 4 * parameterLayout(config).elements);
      let skip = incoming.offset;
      try {
        for await (const piece of pieces()) {
          // What an earlier attempt has filed is there already.
          await incoming.append(piece.subarray(Math.min(skip, piece.length)));
          skip -= Math.min(skip, piece.length);
        }
      } catch (error) {
        await incoming.pause();
        throw error;
      }
      if (!(await incoming.finish())) throw unreadable(folder, 'its weights have changed while they were read');
    },
  };
}

async function* eachPiece(folder: string, config: ModelConfig): AsyncGenerator<Uint8Array> {
  const handles: FileHandle[] = [];
  try {
    const files: WeightsFile[] = [];
    for (const name of await weightFiles(folder)) {
      const handle = await open(join(folder, name), 'r').catch((error: Error) => {
        throw unreadable(join(folder, name), error.message);
      });
      handles.push(handle);
      files.push(await fileOf(name, handle));
    }
    yield* weightPieces(config, files);
  } finally {
    for (const handle of handles) await handle.close();
  }
}

async function fileOf(name: string, handle: FileHandle): Promise<WeightsFile> {
  const { size } = await handle.stat();
  return {
    name,
    sizeBytes: size,
    read: async (into, offset) => {
      let at = 0;
      while (at < into.length) {
        const { bytesRead } = await handle.read(into, at, into.length - at, offset + at);
        if (bytesRead === 0) break;
        at += bytesRead;
      }
      return at;
    },
  };
}

/** One file, or those that the index names; an index is a stranger's, so it names nothing outside of its folder. */
async function weightFiles(folder: string): Promise<string[]> {
  const whole = await stat(join(folder, 'model.safetensors')).catch(() => undefined);
  if (whole) return ['model.safetensors'];
  const bytes = await read(folder, 'model.safetensors.index.json', MAX_INDEX_BYTES);
  let map: unknown;
  try {
    map = (parseBoundedJson(bytes, INDEX_BOUNDS) as { weight_map?: unknown } | null)?.weight_map;
  } catch {
    throw unreadable(folder, 'its index is not JSON');
  }
  const names = typeof map === 'object' && map !== null ? [...new Set(Object.values(map))] : [];
  const plain = (name: unknown): name is string => typeof name === 'string' && /^[\w.-]+\.safetensors$/.test(name);
  if (names.length === 0 || names.length > MAX_SHARDS || !names.every(plain))
    throw unreadable(folder, 'its index does not name files beside it');
  return names.sort();
}

async function read(folder: string, name: string, most: number): Promise<Uint8Array> {
  const path = join(folder, name);
  let found = `it is larger than ${most} bytes`;
  try {
    if ((await stat(path)).size <= most) return new Uint8Array(await readFile(path));
  } catch (error) {
    found = (error as Error).message;
  }
  throw unreadable(path, found);
}

function unreadable(path: string, found: string): WorldError {
  return new WorldError('model-unreadable', 'This model cannot be read.', {
    facts: { path, found },
    help: 'Give the folder of a Llama model in Hugging Face form, such as one made by `./folkmoot export`.',
  });
}
