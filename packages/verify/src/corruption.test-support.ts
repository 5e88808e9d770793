/** What becomes of a training step in which one operator is wrong, operator by operator. */
import type { RowBatch } from '@folkmoot/data';
import type { OptimizerRules, ParameterLayout } from '@folkmoot/model';
import type { Bindings, Engine, Program } from '@folkmoot/tensor';
import { factorName, type Site, takeApart, withFactors } from '@folkmoot/tensor/test-support';
import { OneStep, packBfloat16, type StepEnd } from '@folkmoot/training';
import { type State, type StepState, type TensorDistance, tensorDistances } from './distance.ts';

export interface Scene {
  /** The trainer's engine, on which an operator is wrong, and the auditor's. */
  readonly trainer: Engine;
  readonly auditor: Engine;
  readonly train: Program;
  readonly layout: ParameterLayout;
  readonly optimizer: OptimizerRules;
  readonly start: State;
  /** A segment: the operator is wrong in its first step only. */
  readonly batches: readonly RowBatch[];
  /** The number of the first step. */
  readonly step: number;
}

/** Distances of the worst tensor between trainer and auditor, as ratios. */
export interface Effect {
  /** The moments after the wrong step, nothing rounded. */
  readonly stepMoments: number;
  /** At the end of the segment: what an auditor measures. */
  readonly segment: number;
}

export interface CorruptedStep extends Effect {
  readonly site: Site;
  /** What happened to the gradient: not a bit of it changed; it was multiplied by one number; something else. */
  readonly gradient: 'the same' | 'rescaled' | 'another';
}

/** First what honest work measures, then what it measures with each site's result multiplied by `factor`. */
export async function corruptEach(
  scene: Scene,
  factor: number,
): Promise<{ readonly honest: Effect; readonly corrupted: readonly CorruptedStep[] }> {
  const { sites } = takeApart(scene.train);
  const factors = Object.fromEntries(sites.map((site) => [factorName(site), Float32Array.of(1)]));
  const trainer = await OneStep.create({ ...scene, engine: scene.trainer, train: withFactors(scene.train) });
  const auditor = await OneStep.create({ ...scene, engine: scene.auditor });
  const mine = await follow(scene, auditor, await first(scene, auditor, {}), {});
  const theirs = await follow(scene, trainer, await first(scene, trainer, factors), factors);
  const honest = effect(scene, theirs, mine);
  const corrupted: CorruptedStep[] = [];
  for (const site of sites) {
    const wrong = { ...factors, [factorName(site)]: Float32Array.of(factor) };
    const begun = await first(scene, trainer, wrong);
    const gradient = compare(scene.layout, begun.gradient, theirs.first.gradient);
    const same = gradient === 'the same';
    corrupted.push({
      ...{ site, gradient },
      ...(same ? honest : effect(scene, await follow(scene, trainer, begun, factors), mine)),
    });
  }
  return { honest, corrupted };
}

interface Followed {
  readonly first: StepEnd;
  readonly end: StepState;
}

async function first({ start, step, batches }: Scene, engine: OneStep, more: Bindings): Promise<StepEnd> {
  return finite(await engine.run(start, step, batches[0]!, more));
}

/** The rest of the segment after its first step. */
async function follow(scene: Scene, engine: OneStep, begun: StepEnd, more: Bindings): Promise<Followed> {
  let end = begun;
  for (const [i, batch] of scene.batches.slice(1).entries())
    end = finite(await engine.run(end, scene.step + 1 + i, batch, more));
  return { first: begun, end };
}

function finite(end: StepEnd | undefined): StepEnd {
  if (!end) throw new Error('the gradient is not finite');
  return end;
}

function effect({ layout, start }: Scene, theirs: Followed, mine: Followed): Effect {
  const distances = <S extends State | StepState>(claimed: S, own: S) => tensorDistances(layout, start, claimed, own);
  const worst = (list: readonly TensorDistance[]) => Math.max(...list.map(({ ratio }) => ratio));
  return {
    stepMoments: worst(distances(theirs.first, mine.first).filter(({ tensor }) => /^[mv] of /.test(tensor))),
    segment: worst(distances(round(theirs.end), round(mine.end))),
  };
}

function round({ params, moments }: StepState): State {
  return { params, moments: { m: packBfloat16(moments.m), v: packBfloat16(moments.v) } };
}

/** Tensor by tensor: a large one would drown what happens in a small one. */
function compare(layout: ParameterLayout, gradient: Float32Array, honest: Float32Array): CorruptedStep['gradient'] {
  if (gradient.every((value, i) => value === honest[i])) return 'the same';
  const scale = dot(gradient, honest) / dot(honest, honest);
  const isMultiple = layout.tensors.every(({ offset, elements }) => {
    const own = honest.subarray(offset, offset + elements);
    const apart = gradient.subarray(offset, offset + elements).map((value, i) => value - scale * own[i]!);
    return Math.sqrt(dot(apart, apart)) <= ROUNDING * Math.sqrt(dot(own, own));
  });
  return isMultiple ? 'rescaled' : 'another';
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

/** Relative: what comes of a gradient that was scaled early differs from a multiple by rounding. */
const ROUNDING = 2e-6;
