/** What the tests of the `webgpu` engine call in a browser. */
import { momentSizes } from '@folkmoot/model';
import type { Engine } from '@folkmoot/tensor';
import { createEngine } from '@folkmoot/tensor/web';
import { LocalRound, zeroMoments } from '@folkmoot/training';
import { batches, initial, LAYOUT, OPTIMIZER, TRAIN } from '@folkmoot/training/test-support';
import { type State, stateDistance } from '@folkmoot/verify';

const STEPS = 2;
const START: State = { params: initial(), moments: zeroMoments(momentSizes(OPTIMIZER, LAYOUT)) };

export interface Comparison {
  readonly memory: string;
  readonly distancePpm: number;
  readonly losses: readonly number[];
}

let held: LocalRound | undefined;

/** Starts an engine on what the browser offers, and closes it; its name. */
export async function open(softwareGpu: boolean): Promise<string> {
  const engine = await createEngine('webgpu', { softwareGpu });
  await engine.close();
  return engine.name;
}

/** A segment on the GPU and by the exact engine: how far apart their ends are. The GPU's engine stays open. */
export async function compare(): Promise<Comparison> {
  const gpu = await createEngine('webgpu', { softwareGpu: true, gpuOnly: true });
  held = await localRound(gpu);
  const claimed = await segment(held);
  const exact = await createEngine('exact', { threads: 1 });
  const mine = await segment(await localRound(exact));
  await exact.close();
  const { distancePpm } = stateDistance(LAYOUT, START, claimed, mine);
  return { memory: gpu.memory, distancePpm, losses: claimed.losses };
}

/** Goes on with the engine that `compare` has left open. */
export async function again(): Promise<void> {
  await segment(held!);
}

function localRound(engine: Engine): Promise<LocalRound> {
  return LocalRound.create({ engine, train: TRAIN, layout: LAYOUT, optimizer: OPTIMIZER });
}

async function segment(local: LocalRound): Promise<State & { losses: readonly number[] }> {
  await local.start(START.params, START.moments);
  const ended = await local.runSegment({ batches: batches('rows', STEPS), globalStep: 0, deviceStep: 0 });
  if (ended.outcome !== 'trained') throw new Error(ended.reason);
  return ended;
}
