/**
 * One operator of a training step is wrong by a part in a thousand, every operator in turn: who notices? A small real model
 * on real text, `native` as the trainer, `exact` as the auditor.
 *
 * `.tools/corruption.json` has every distance.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { sha256, utf8 } from '@folkmoot/core';
import { initialParameters, momentSizes, parameterLayout, trainProgram } from '@folkmoot/model';
import { RUN_PRESETS } from '@folkmoot/node';
import { createEngine } from '@folkmoot/tensor/node';
import { LocalRound, zeroMoments } from '@folkmoot/training';
import { CALIBRATION, replaySegment, type State } from '@folkmoot/verify';
import { type CorruptedStep, corruptEach, type Effect } from '@folkmoot/verify/test-support';
import type { Figure } from './bench.ts';
import { RealBatches } from './real-batches.ts';

const { model: MODEL, optimizer: RULES, stepsPerSegment: S } = RUN_PRESETS.tiny;
const LAYOUT = parameterLayout(MODEL);
const SIZES = momentSizes(RULES, LAYOUT);
/** A quarter of the preset's: some two thousand segments are trained. */
const ROWS = 4;
const TRAIN = trainProgram(MODEL, ROWS);
/** Segments in whose first step an operator is wrong. */
const PLACES = [0, 10, 100];
const FACTOR = 1.001;
const FILE = fileURLToPath(new URL('../.tools/corruption.json', import.meta.url));

export async function* run(signal: AbortSignal): AsyncIterable<Figure> {
  const data = await RealBatches.open(MODEL, ROWS);
  const trainer = await createEngine('native', { threads: 1 });
  const auditor = await createEngine('exact', { threads: 1 });
  const written: object[] = [];
  try {
    const local = await LocalRound.create({ engine: trainer, train: TRAIN, layout: LAYOUT, optimizer: RULES });
    let state: State = {
      params: initialParameters(MODEL, sha256(utf8('corruption'))),
      moments: zeroMoments(SIZES),
    };
    for (let number = 0; number <= PLACES.at(-1)!; number++) {
      signal.throwIfAborted();
      const segment = await data.segment(number, S);
      if (PLACES.includes(number)) {
        const scene = { trainer, auditor, train: TRAIN, layout: LAYOUT, optimizer: RULES, start: state };
        const effects = await corruptEach({ ...scene, batches: segment.batches, step: segment.globalStep }, FACTOR);
        yield* figures(`step ${segment.globalStep}`, effects.honest, effects.corrupted);
        written.push({ step: segment.globalStep, honest: effects.honest, corrupted: effects.corrupted.map(lineOf) });
        writeFileSync(FILE, `${JSON.stringify(written)}\n`);
      }
      const replayed = await replaySegment(local, state, segment);
      if (!replayed.ok) throw new Error(replayed.reason);
      state = replayed.end;
    }
  } finally {
    await Promise.all([trainer.close(), auditor.close()]);
  }
}

function* figures(place: string, honest: Effect, corrupted: readonly CorruptedStep[]): Iterable<Figure> {
  const { tolerance } = CALIBRATION;
  const unit = 'operators';
  const at = (name: string, list: readonly unknown[], note?: string): Figure => ({
    name: `${place}: ${name}`,
    value: list.length,
    unit,
    note,
  });
  const ppm = (ratio: number) => `honest ${(ratio * 1e6).toPrecision(3)} ppm`;
  yield at('wrong by a thousandth', corrupted);
  const changed = corrupted.filter(({ gradient }) => gradient !== 'the same');
  yield at('that change the gradient', changed);
  const seen = (of: (one: Effect) => number, limit: number) => changed.filter((one) => of(one) > limit);
  yield at(
    'seen in the moments of the step',
    seen((one) => one.stepMoments, tolerance.stepMomentsPpb / 1e9),
    ppm(honest.stepMoments),
  );
  yield at(
    'seen at the end of the segment',
    seen((one) => one.segment, tolerance.segmentPpm / 1e6),
    ppm(honest.segment),
  );
  yield at(
    'seen there at the former 10,000 ppm',
    seen((one) => one.segment, 0.01),
  );
}

function lineOf({ site, gradient, ...effect }: CorruptedStep): (string | number)[] {
  return [site.name, site.node.type, gradient, ...Object.values(effect).map((ratio) => Math.round(ratio * 1e9))];
}
