/** `export` in full: the newest base, the tokenizer and the run's story as files that `transformers` loads. */
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { bytesOf, type Hash } from '@folkmoot/core';
import { balanceOf } from '@folkmoot/ledger';
import { exportParts } from '@folkmoot/model';
import type { ExportOptions } from '../commands/export.ts';
import type { Invocation } from '../invocation.ts';
import { formatBytes, formatLoss } from '../ui/format.ts';
import { prepareFolder } from './export-folder.ts';
import { openRun } from './open-run.ts';
import { openBench } from './replay-bench.ts';
import { loadParts } from './run-generate.ts';
import { RunStore } from './run-store.ts';
import { Story } from './story.ts';

export async function runExport(call: Invocation, options: ExportOptions): Promise<void> {
  const folder = resolve(options.to);
  const run = await openRun(call.home, options.run);
  const story = await Story.read(run);
  await prepareFolder(folder, options.force === true);
  const store = await RunStore.open(run, call);
  try {
    const { base } = story.state;
    const { params, tokenizer } = await loadParts(store, run.charter, base);
    call.note('evaluating it on the held-out text …');
    const { holdoutLoss, licences } = await describeData(story, store, params);
    const lineage = {
      name: run.charter.name,
      run: run.note.run,
      base,
      rounds: story.state.finalized,
      licence: run.charter.licence,
      holdoutLoss,
      members: creditsOf(story),
      data: licences,
    };
    const files = exportParts({ config: run.charter.model, params, tokenizerJson: tokenizer.toJson(), lineage });
    for (const [name, parts] of files) await writeFile(join(folder, name), parts);
    call.object({
      folder,
      files: [...files.keys()],
      baseId: base,
      runId: run.note.run,
      rounds: lineage.rounds,
      holdoutLoss,
      parameters: run.charter.parameters,
    });
    const sizeOf = (parts: readonly Uint8Array[]) => parts.reduce((sum, part) => sum + part.length, 0);
    for (const [name, parts] of files) call.say(`${formatBytes(sizeOf(parts)).padStart(8)}  ${join(folder, name)}`);
    call.say(`base ${base} after ${lineage.rounds} rounds, hold-out loss ${formatLoss(holdoutLoss)}`);
  } finally {
    await store.close();
  }
}

/** The hold-out loss as it comes out here, and what the data is licensed under. */
async function describeData({ run }: Story, store: RunStore, params: Float32Array) {
  const bench = await openBench(run, store);
  try {
    return { holdoutLoss: await bench.work.evaluate(bytesOf(params)), licences: bench.manifest.licences };
  } finally {
    await bench.close();
  }
}

/** Credits of each account, the largest first. */
function creditsOf({ state }: Story): { id: Hash; credits: number }[] {
  const accounts = [...new Set(Object.values(state.members).map(({ account }) => account))].sort();
  return accounts
    .map((id) => ({ id, credits: balanceOf(state.ledger, id).earned }))
    .sort((a, b) => b.credits - a.credits);
}
