/**
 * What a machine will reach on each preset: matrix products by their number of operations at the measured rate, the rest
 * by the number of its elements at the pace that a step of `tiny` showed.
 */
import { type ModelConfig, PRESETS, type PresetName, parameterLayout } from '@folkmoot/model';
import { memoryNeed, RUN_PRESETS } from '@folkmoot/node';
import type { EngineKind, MemoryPlan } from '@folkmoot/tensor';
import type { PresetForecast, Speed } from './examination.ts';

export function forecast(preset: PresetName, engine: EngineKind, speed: Speed, availableBytes: number): PresetForecast {
  const { batchRows, stepsPerRound, optimizer } = RUN_PRESETS[preset];
  const config = PRESETS[preset];
  const turningMs = optimizer.kind === 'muon' ? muonFlops(config) / speed.productGflops / 1e6 : 0;
  const stepMs = stepTimeMs(config, batchRows, speed) + turningMs;
  const need = (plan: MemoryPlan) => memoryNeed({ rules: RUN_PRESETS[preset], engine, plan }).total;
  // Where even that does not fit, the least that it would need is what to say.
  const memoryBytes = need(need('plain') <= availableBytes ? 'plain' : 'recompute');
  const fits = memoryBytes <= availableBytes;
  return {
    preset,
    parameters: parameterLayout(config).elements,
    tokensPerSecond: ((batchRows * config.context) / stepMs) * 1000,
    roundMs: stepMs * stepsPerRound,
    memoryBytes,
    recomputes: fits && memoryBytes < need('plain'),
    fits,
  };
}

/** Milliseconds of one inner step on `rows` rows with AdamW. */
export function stepTimeMs(config: ModelConfig, rows: number, { productGflops, tinyStepMs }: Speed): number {
  const tiny = work(PRESETS.tiny, RUN_PRESETS.tiny.batchRows);
  const all = work(config, rows);
  // Where products alone would fill the step of `tiny`, the rate was taken in a bad moment: nothing is left to scale.
  const restMs = Math.max(0, tinyStepMs - tiny.flops / productGflops / 1e6);
  return all.flops / productGflops / 1e6 + restMs * (all.elements / tiny.elements);
}

/** Additions and multiplications in matrix products, and elements that everything else passes over, of one step. */
export function work(config: ModelConfig, rows: number): { flops: number; elements: number } {
  const { hidden, heads, kvHeads, feedForward, layers, vocab, context } = config;
  const tokens = rows * context;
  const keyWidth = (hidden / heads) * kvHeads;
  const weights = layers * (2 * hidden * hidden + 2 * hidden * keyWidth + 3 * hidden * feedForward) + vocab * hidden;
  const keys = meanKeys(context, hidden / heads);
  // Each weight takes part in three products, and attention has six.
  const flops = tokens * (6 * weights + 12 * layers * keys * hidden);
  const elements =
    tokens * (layers * (30 * hidden + 15 * feedForward + 8 * heads * keys) + 6 * vocab) +
    4 * parameterLayout(config).elements;
  return { flops, elements };
}

/** Additions and multiplications with which Muon turns the matrices of all blocks: five times X·Xᵀ, its square, and one more. */
export function muonFlops({ hidden, heads, kvHeads, feedForward, layers }: ModelConfig): number {
  const turning = (a: number, b: number) => {
    const [short, long] = [Math.min(a, b), Math.max(a, b)];
    return 5 * (4 * short * short * long + 2 * short ** 3);
  };
  const keyWidth = (hidden / heads) * kvHeads;
  return layers * (2 * turning(hidden, hidden) + 2 * turning(hidden, keyWidth) + 3 * turning(hidden, feedForward));
}

/** Keys that a query meets on average: `causalAttention` computes blocks of queries up to the end of each block. */
function meanKeys(context: number, headSize: number): number {
  const block = Math.max(128, headSize);
  return context <= block ? context : (context + block) / 2;
}
