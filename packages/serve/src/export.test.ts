/** The exported files, read by two implementations that share nothing with ours, give our logits. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bytesOf, sha256 } from '@folkmoot/core';
import { exportFiles, initialParameters, type ModelConfig, Tokenizer } from '@folkmoot/model';
import type { Engine } from '@folkmoot/tensor';
import { createEngine } from '@folkmoot/tensor/node';
import { loadModel } from './loaded-model.ts';
import { referenceLogits } from './reference.test-support.ts';

const BASE: ModelConfig = {
  vocab: 257,
  hidden: 32,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  feedForward: 48,
  context: 16,
  ropeTheta: 10_000,
  normEpsilon: '0.00001',
  tied: true,
};
/** Every path that a config chooses: tied or not, grouped or single keys, one key head for all. */
const CONFIGS: ModelConfig[] = [BASE, { ...BASE, tied: false, kvHeads: 4 }, { ...BASE, kvHeads: 1, ropeTheta: 500 }];
const PROMPTS = [[72], [1, 2, 3, 250, 7, 7, 7, 100], Array.from({ length: 16 }, (_, i) => (i * 37 + 5) % 257)];
const TOLERANCE = 1e-4;

const folders: string[] = [];
let engine: Engine;
before(async () => {
  engine = await createEngine('native', { threads: 1 });
});
after(async () => {
  await engine.close();
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** Parameters large enough that a mistake anywhere moves the logits by far more than the tolerance. */
function roughParameters(config: ModelConfig): Float32Array {
  return initialParameters(config, 'reference').map((value) => (value === 1 ? 1 : value * 10));
}

function exportTo(config: ModelConfig, params: Float32Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'folkmoot-export-'));
  folders.push(folder);
  const lineage = {
    name: 'reference',
    run: '00'.repeat(32),
    base: sha256(bytesOf(params)),
    rounds: 0,
    licence: 'Apache-2.0',
    members: [],
    data: [],
  };
  const files = exportFiles({ config, params, tokenizerJson: new Tokenizer([]).toJson(), lineage });
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
  return folder;
}

interface Case {
  readonly folder: string;
  readonly tokens: readonly number[];
  /** What `generate` samples from. */
  readonly ours: Float32Array;
}

async function exportedCases(): Promise<Case[]> {
  const cases: Case[] = [];
  for (const config of CONFIGS) {
    const params = roughParameters(config);
    const folder = exportTo(config, params);
    const model = await loadModel({ engine, config, params, tokenizer: new Tokenizer([]) });
    for (const tokens of PROMPTS) cases.push({ folder, tokens, ours: await model.nextLogits(tokens) });
    await model.free();
  }
  return cases;
}

function assertClose({ tokens, ours }: Case, theirs: ArrayLike<number>): void {
  assert.equal(theirs.length, ours.length);
  const largest = ours.reduce((most, logit, i) => Math.max(most, Math.abs(logit - theirs[i]!)), 0);
  assert.ok(largest <= TOLERANCE, `differ by ${largest} after ${tokens.length} tokens`);
  const spread = Math.max(...ours) - Math.min(...ours);
  assert.ok(spread > 1, `logits within ${spread} of each other would hide a mistake`);
}

test('a slow forward pass over the exported files gives our logits', async () => {
  for (const one of await exportedCases()) assertClose(one, referenceLogits(one.folder, one.tokens));
});

const python = ['python3', '/usr/bin/python3'].find(
  (command) => spawnSync(command, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0,
);

test('PyTorch over the exported files gives our logits', {
  skip: !python && 'no python3 with torch here',
}, async () => {
  const cases = await exportedCases();
  const script = fileURLToPath(new URL('../test/reference_forward.py', import.meta.url));
  const pairs = cases.flatMap(({ folder, tokens }) => [folder, tokens.join()]);
  const { status, stdout, stderr } = spawnSync(python!, [script, ...pairs], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const theirs: number[][] = JSON.parse(stdout);
  for (const [i, one] of cases.entries()) assertClose(one, theirs[i]!);
});
