/** Twenty training steps of a small real model, the same on every host: what all of them must agree on to the bit. */
import { below, type Hash, hashOf, SeededRandom } from '@folkmoot/core';
import {
  ADAMW,
  initialParameters,
  MUON,
  momentSizes,
  type OptimizerRules,
  PRESETS,
  parameterLayout,
  trainProgram,
} from '@folkmoot/model';
import type { Engine } from '@folkmoot/tensor';
import { LocalRound, type Segment, zeroMoments } from '@folkmoot/training';

export type OptimizerKind = OptimizerRules['kind'];

export interface Outcome {
  /** Of parameters and moments after the last step. */
  readonly digest: Hash;
  /** Nats per token, before each step. */
  readonly losses: readonly number[];
  readonly engine: string;
  readonly threads: number;
  /** Wall time of the steps, without starting. */
  readonly ms: number;
}

const MODEL = PRESETS.tiny;
const ROWS = 4;
const STEPS = 20;
const STEPS_PER_SEGMENT = 5;
const RULES = { learningRate: '0.003', warmupSteps: 4, joinerWarmupSteps: 2 };
const OPTIMIZERS: Readonly<Record<OptimizerKind, OptimizerRules>> = {
  adamw: { ...ADAMW, ...RULES },
  muon: { ...MUON, ...RULES, schedule: { kind: 'wsd', steps: 18, decaySteps: 9, finalRate: '0.1', shape: 'sqrt' } },
};

/** Trains on `engine` with the class that members train with, and closes it. */
export async function twentySteps(engine: Engine, kind: OptimizerKind): Promise<Outcome> {
  const layout = parameterLayout(MODEL);
  const optimizer = OPTIMIZERS[kind];
  const local = await LocalRound.create({ engine, train: trainProgram(MODEL, ROWS), layout, optimizer });
  await local.start(initialParameters(MODEL, 'twenty steps'), zeroMoments(momentSizes(optimizer, layout)));
  const losses: number[] = [];
  let digest = '';
  const began = performance.now();
  for (let step = 0; step < STEPS; step += STEPS_PER_SEGMENT) {
    const ended = await local.runSegment(segmentAt(step));
    if (ended.outcome !== 'trained') throw new Error(ended.reason);
    losses.push(...ended.losses);
    digest = hashOf('twenty-steps', digest, ended.state.params, ended.state.moments);
  }
  const ms = Math.round(performance.now() - began);
  const { name, threads } = engine;
  await engine.close();
  return { digest, losses, engine: name, threads, ms };
}

function segmentAt(first: number): Segment {
  const batches = Array.from({ length: STEPS_PER_SEGMENT }, (_, i) => batch(first + i));
  return { batches, globalStep: first, deviceStep: first };
}

/** Tokens that follow from the one before, most of the time: something to learn. */
function batch(step: number): { tokens: Int32Array; targets: Int32Array } {
  const random = new SeededRandom(`twenty steps ${step}`);
  const text = [0];
  while (text.length <= ROWS * MODEL.context)
    text.push(below(random, 4) === 0 ? below(random, MODEL.vocab) : (text.at(-1)! * 7 + 11) % 97);
  return { tokens: Int32Array.from(text.slice(0, -1)), targets: Int32Array.from(text.slice(1)) };
}
