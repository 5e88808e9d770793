/** The folder that `examples/check_segment.py` reads: one segment with everything that it needs. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assignedRows, type RowBatch, Rows } from '@folkmoot/data';
import { parameterLayout } from '@folkmoot/model';
import { runPrograms } from '@folkmoot/node';
import type { Segment } from '@folkmoot/training';
import { segmentFiles } from '@folkmoot/verify';
import { claimedEndOf, startOf } from './replay.ts';
import type { ReplayBench } from './replay-bench.ts';
import type { OpenedSegment } from './replayable.ts';

/** Writes artifacts and `segment.json` to `folder`, which exists. The fields are described in the example. */
export async function exportSegment(bench: ReplayBench, one: OpenedSegment, folder: string): Promise<void> {
  const { charter, note } = bench.run;
  const files = segmentFiles({
    about: { run: note.run, round: one.round, segment: one.segment, member: one.trainer },
    layout: parameterLayout(charter.model),
    optimizer: charter.optimizer,
    tolerancePpm: charter.engine.tolerancePpm,
    programs: runPrograms(charter),
    segment: await segmentOf(bench, one),
    rows: charter.batchRows,
    microRows: charter.microRows,
    start: await startOf(bench, one),
    end: await claimedEndOf(bench, one),
  });
  for (const [name, bytes] of files) await writeFile(join(folder, name), bytes);
}

async function segmentOf(bench: ReplayBench, { audit, round, segment }: OpenedSegment): Promise<Segment> {
  const { charter } = bench.run;
  const { stepsPerRound, stepsPerSegment, dataset } = charter;
  const made = (segment - 1) * stepsPerSegment;
  const first = audit.skip * stepsPerSegment + made;
  const rows = new Rows(bench.manifest, 'train', bench.getShard);
  const batches: RowBatch[] = [];
  for (let step = first; step < first + stepsPerSegment; step++)
    batches.push(await rows.read(assignedRows(audit.seed, dataset.trainRows, audit.seat, step, charter)));
  return {
    batches,
    globalStep: (round - 1) * stepsPerRound + first,
    deviceStep: audit.carryIn.steps + made,
  };
}
