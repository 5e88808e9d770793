/** The folder that `examples/check_segment.py` reads: one segment with everything that it needs. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesOf, sha256 } from '@folkmoot/core';
import { assignedRows, type RowBatch, Rows } from '@folkmoot/data';
import { CHUNK, decayElements, learningRateAt, parameterLayout, powersAfter } from '@folkmoot/model';
import { runPrograms } from '@folkmoot/node';
import { claimedEndOf, startOf } from './replay.ts';
import type { ReplayBench } from './replay-bench.ts';
import type { OpenedSegment } from './replayable.ts';

/** Writes artifacts and `segment.json` to `folder`, which exists. The fields are described in the example. */
export async function exportSegment(bench: ReplayBench, one: OpenedSegment, folder: string): Promise<void> {
  const { charter, note } = bench.run;
  const programs = runPrograms(charter);
  const start = await startOf(bench, one);
  const end = await claimedEndOf(bench, one);
  const artifacts: Record<string, Uint8Array> = {
    'train.onnx': programs.train.bytes,
    'norm.onnx': programs.norm.bytes,
    'optimizer.onnx': programs.optimizer.bytes,
    'start.params': start.params,
    'start.moments': start.moments,
    'end.params': end.params,
    'end.moments': end.moments,
    tokens: await tokensOf(bench, one),
  };
  const layout = parameterLayout(charter.model);
  const segment = {
    run: note.run,
    round: one.round,
    segment: one.segment,
    member: one.trainer,
    artifacts: Object.fromEntries(Object.entries(artifacts).map(([name, bytes]) => [name, sha256(bytes)])),
    rows: charter.batchRows,
    context: charter.model.context,
    tensors: layout.tensors.map(({ name, shape, offset }) => ({ name, shape, offset })),
    decayElements: decayElements(charter.optimizer, layout),
    chunk: CHUNK,
    optimizer: charter.optimizer,
    steps: stepsOf(bench, one),
    tolerancePpm: charter.engine.tolerancePpm,
  };
  for (const [name, bytes] of Object.entries(artifacts)) await writeFile(join(folder, name), bytes);
  await writeFile(join(folder, 'segment.json'), `${JSON.stringify(segment, null, 2)}\n`);
}

/** Steps of the segment, counted from the round's first. */
function stepNumbers({ run }: ReplayBench, { segment }: OpenedSegment): number[] {
  const { stepsPerSegment } = run.charter;
  return Array.from({ length: stepsPerSegment }, (_, i) => (segment - 1) * stepsPerSegment + i);
}

/** `[S, B, T + 1]` int32: inputs, and the last target. */
async function tokensOf(bench: ReplayBench, one: OpenedSegment): Promise<Uint8Array> {
  const { charter } = bench.run;
  const { seed, seat } = one.audit;
  const { context } = charter.model;
  const rows = new Rows(bench.manifest, 'train', bench.getShard);
  const lines: Int32Array[] = [];
  for (const step of stepNumbers(bench, one)) {
    const batch: RowBatch = await rows.read(assignedRows(seed, charter.dataset.trainRows, seat, step, charter));
    for (let at = 0; at < batch.tokens.length; at += context) {
      const line = new Int32Array(context + 1);
      line.set(batch.tokens.subarray(at, at + context));
      line[context] = batch.targets[at + context - 1]!;
      lines.push(line);
    }
  }
  const tokens = new Int32Array(lines.length * (context + 1));
  for (const [i, line] of lines.entries()) tokens.set(line, i * (context + 1));
  return bytesOf(tokens);
}

/** The scalars of each step; doubles as text, which JSON readers of other languages keep whole. */
function stepsOf(bench: ReplayBench, one: OpenedSegment) {
  const { stepsPerRound, optimizer } = bench.run.charter;
  return stepNumbers(bench, one).map((step) => {
    const deviceStep = one.audit.carryIn.steps + step;
    const powers = powersAfter(optimizer, deviceStep + 1);
    return {
      learningRate: String(learningRateAt(optimizer, (one.round - 1) * stepsPerRound + step, deviceStep)),
      beta1Power: String(powers.first),
      beta2Power: String(powers.second),
    };
  });
}
