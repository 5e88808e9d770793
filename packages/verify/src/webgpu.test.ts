/** The GPU's engine against the arbiter: the same programs, wholly on the device, compared by distance. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { isWorldError } from '@folkmoot/core';
import { momentSizes, type OptimizerRules } from '@folkmoot/model';
import type { Engine } from '@folkmoot/tensor';
import { createEngine } from '@folkmoot/tensor/node';
import { LocalRound, zeroMoments } from '@folkmoot/training';
import { batches, initial, LAYOUT, MUON_OPTIMIZER, OPTIMIZER, TRAIN } from '@folkmoot/training/test-support';
import { type State, stateDistance } from './distance.ts';
import { replaySegment } from './replay-segment.ts';

const STEPS = 3;
/** Ten times what was measured; a step that is left out is a hundred times further. */
const NEAR_PPM = 1000;

const opened = await createEngine('webgpu', { softwareGpu: true, gpuOnly: true }).then(
  (engine) => ({ engine, skip: false }),
  (error) => ({ engine: undefined, skip: whyNot(error) }),
);

after(() => opened.engine?.close());

for (const rules of [OPTIMIZER, MUON_OPTIMIZER])
  test(`${rules.kind}: two segments on a GPU end near where the exact engine ends`, { skip: opened.skip }, async () => {
    const exact = await createEngine('exact', { threads: 1 });
    const [gpu, arbiter] = await Promise.all([opened.engine!, exact].map((engine) => localRound(engine, rules)));
    const begin: State = { params: initial(), moments: zeroMoments(momentSizes(rules, LAYOUT)) };
    let start = begin;
    for (const first of [0, STEPS]) {
      const [claimed, mine] = [await segment(gpu!, start, first), await segment(arbiter!, start, first)];
      const { distancePpm, tensor } = stateDistance(LAYOUT, start, claimed, mine);
      assert.ok(distancePpm > 0 && distancePpm < NEAR_PPM, `${distancePpm} ppm in ${tensor}`);
      start = claimed;
    }
    const shorter = await segment(gpu!, begin, 0, STEPS - 1);
    const { distancePpm } = stateDistance(LAYOUT, begin, shorter, await segment(arbiter!, begin, 0));
    assert.ok(distancePpm > 100 * NEAR_PPM, `a step less is ${distancePpm} ppm away`);
    await exact.close();
  });

function whyNot(error: unknown): string {
  if (!isWorldError(error, 'engine-unavailable')) throw error;
  return String(error.facts.reason);
}

function localRound(engine: Engine, optimizer: OptimizerRules): Promise<LocalRound> {
  return LocalRound.create({ engine, train: TRAIN, layout: LAYOUT, optimizer });
}

async function segment(local: LocalRound, start: State, first: number, steps = STEPS): Promise<State> {
  const replayed = await replaySegment(local, start, {
    batches: batches('rows', 2 * STEPS).slice(first, first + steps),
    globalStep: first,
    deviceStep: first,
  });
  assert.ok(replayed.ok, JSON.stringify(replayed));
  return replayed.end;
}
