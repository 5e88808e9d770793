/** A Hugging Face folder as a start: one file or several, in memory that does not grow with them, and no stranger's path. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bytesOf, concat, isWorldError, sha256 } from '@folkmoot/core';
import {
  exportFiles,
  initialParameters,
  PRESETS,
  parameterLayout,
  Tokenizer,
  writeSafetensorsHeader,
} from '@folkmoot/model';
import { openDiskStore } from '@folkmoot/store';
import { openModelFolder } from '../apps/cli/src/run/model-folder.ts';

const CHILD = fileURLToPath(new URL('model-folder.test-support.ts', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'folkmoot weights '));
after(() => rmSync(root, { recursive: true }));
let folders = 0;

const TINY = { ...PRESETS.tiny, vocab: 300 };
const PARAMS = initialParameters(TINY, 'folder');
const BASE = sha256(bytesOf(PARAMS));

/** A folder as `export` writes it, with what `change` makes of its files. */
function folderOf(config = TINY, params = PARAMS, change: (files: Map<string, Uint8Array>) => void = () => {}) {
  const lineage = {
    ...{ name: 'folder', run: 'ab'.repeat(32), base: sha256(bytesOf(params)), rounds: 1, licence: 'CC0-1.0' },
    ...{ members: [], data: [] },
  };
  const files = exportFiles({ config, params, tokenizerJson: new Tokenizer([]).toJson(), lineage });
  change(files);
  const folder = mkdtempSync(join(root, `${folders++} `));
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
  return folder;
}

/** The weights in two files and an index. */
function inShards(files: Map<string, Uint8Array>, names = ['model-1.safetensors', 'model-2.safetensors']): void {
  const { tensors } = parameterLayout(TINY);
  const map: Record<string, string> = {};
  for (const [i, some] of [tensors.slice(4), tensors.slice(0, 4)].entries()) {
    const header = writeSafetensorsHeader(some.map(({ name, shape }) => ({ name, shape, dtype: 'F32' })));
    const data = some.map(({ offset, elements }) => bytesOf(PARAMS.subarray(offset, offset + elements)));
    for (const { name } of some) map[name] = names[i]!;
    files.set(`model-${i + 1}.safetensors`, concat([header, ...data]));
  }
  files.delete('model.safetensors');
  files.set('model.safetensors.index.json', new TextEncoder().encode(JSON.stringify({ weight_map: map })));
}

test('what was exported is the base that it was, from one file or from two', async () => {
  for (const folder of [folderOf(), folderOf(TINY, PARAMS, inShards)]) {
    const opened = await openModelFolder(folder);
    assert.deepEqual(opened.config, TINY);
    assert.equal(await opened.baseId(), BASE);
    const store = await openDiskStore({ path: join(folder, 'store') });
    await opened.fileBase(store, BASE);
    assert.deepEqual(await store.get(BASE), bytesOf(PARAMS));
    await opened.fileBase(store, BASE);
  }
});

test('an index that names files elsewhere, weights that are none, a tokenizer too large: refused', async () => {
  const cases: [string, (files: Map<string, Uint8Array>) => void][] = [
    ['model-unreadable', (files) => inShards(files, ['../../etc/passwd.safetensors', 'model-2.safetensors'])],
    ['model-unreadable', (files) => inShards(files, ['absent.safetensors', 'model-2.safetensors'])],
    ['model-unreadable', (files) => files.delete('model.safetensors')],
    ['model-unreadable', (files) => files.delete('tokenizer.json')],
    ['safetensors-invalid', (files) => files.set('model.safetensors', new Uint8Array(100).fill(255))],
    ['tokenizer-malformed', (files) => files.set('tokenizer.json', new TextEncoder().encode('{}'))],
  ];
  for (const [code, change] of cases) {
    const opening = (async () => (await openModelFolder(folderOf(TINY, PARAMS, change))).baseId())();
    await assert.rejects(opening, (error) => isWorldError(error, code), code);
  }
});

test('a file of 200 MB takes a small part of that in memory', async () => {
  const large = { ...TINY, hidden: 512, feedForward: 8192, layers: 4, heads: 8, kvHeads: 8 };
  const { tensors, elements } = parameterLayout(large);
  const entries = tensors.map(({ name, shape }) => ({ name, shape, dtype: 'F32' as const }));
  const folder = folderOf(large, new Float32Array(elements), (files) => {
    files.set('model.safetensors', writeSafetensorsHeader(entries));
  });
  const header = writeSafetensorsHeader(entries).length;
  // Zeros that take no room on the disk: a file system reads them like any others.
  truncateSync(join(folder, 'model.safetensors'), header + 4 * elements);
  const { stdout } = await promisify(execFile)(process.execPath, [...process.execArgv, CHILD, folder]);
  const { beforeBytes, peakBytes, id } = JSON.parse(stdout);
  assert.equal(id, sha256(new Uint8Array(4 * elements)));
  const share = (peakBytes - beforeBytes) / (4 * elements);
  assert.ok(4 * elements > 200e6 && share < 0.25, `${share} of the file's size`);
});
