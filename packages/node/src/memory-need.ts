/**
 * The memory that a member needs, from the rules of its run: before anything is started that cannot fit.
 *
 * What is counted follows from what lies in memory; the factors beside it were fitted to the peaks of real processes
 * (docs/results/engines.md), and a test measures some again.
 */
import { type ModelConfig, momentSizes, muonElements, type ParameterLayout, parameterLayout } from '@folkmoot/model';
import type { Charter } from '@folkmoot/records';
import type { EngineKind, MemoryPlan } from '@folkmoot/tensor';
import { maxUpdateBytes, momentsBytes } from '@folkmoot/training';

/** What the need follows from: rules of the charter, and a member's own choices. */
export interface MemoryQuestion {
  readonly rules: Pick<Charter, 'model' | 'batchRows' | 'microRows' | 'optimizer' | 'codec'>;
  readonly engine: EngineKind;
  readonly plan: MemoryPlan;
}

/** Bytes at most, all of them at once. */
export interface MemoryNeed {
  /** The process with its libraries, before it works. */
  readonly idle: number;
  /** Parameters, moments, gradients in the engine's memory. */
  readonly arenas: number;
  /** What a step leaves for its way back, and the hold-out's evaluation. */
  readonly step: number;
  /** Base, states, changes and updates on their way between engine, disk and codec. */
  readonly round: number;
  /** What must fit into the machine's memory. */
  readonly total: number;
  /** What must fit into memory of another kind: a GPU's, or the 4 GiB of WebAssembly. */
  readonly device: number;
}

/** WebAssembly addresses no more. */
export const WASM_BYTES = 2 ** 32;

const FLOAT = 4;
const IDLE_BYTES = 180e6;
/** Threads, compiled programs, garbage between two collections; and WebAssembly with its own. */
const WORK_BYTES = 75e6;
/** Dead arrays that V8 lets lie before it collects them, at most. */
const GARBAGE_BYTES = 110e6;

export function memoryNeed({ rules, engine, plan }: MemoryQuestion): MemoryNeed {
  const layout = parameterLayout(rules.model);
  const arenas = FLOAT * arenaElements(rules, layout, engine);
  const step = WORK_BYTES + FLOAT * stepElements(rules, layout, plan) + evaluateBytes(rules);
  const round = roundBytes(rules, layout);
  // ONNX Runtime in WebAssembly works on copies of its own.
  const copies = engine === 'exact' ? WORK_BYTES + 1.5 * FLOAT * layout.elements : 0;
  const host = IDLE_BYTES + round;
  return {
    ...{ idle: IDLE_BYTES, arenas, step: step + copies, round },
    total: engine === 'webgpu' ? host : host + arenas + step + copies,
    device: engine === 'native' ? 0 : engine === 'webgpu' ? arenas + step : step + 2 * FLOAT * layout.elements,
  };
}

/** Buffers of `InnerOptimizer`, `BatchGradient` and `Evaluator`. */
function arenaElements(
  { microRows, optimizer }: MemoryQuestion['rules'],
  layout: ParameterLayout,
  engine: EngineKind,
): number {
  const { first, second } = momentSizes(optimizer, layout);
  const state = layout.elements + first + second;
  const inPlace = engine !== 'webgpu';
  const states = inPlace && optimizer.kind === 'adamw' ? 1 : 2;
  const micro = microRows === undefined ? 0 : inPlace ? 1 : 2;
  const [gradient, evaluator] = [1, 1];
  return states * state + (gradient + micro + evaluator) * layout.elements;
}

/** Floats at the peak of forward and backward pass, and of Muon. */
function stepElements(
  { model, batchRows, microRows, optimizer }: MemoryQuestion['rules'],
  layout: ParameterLayout,
  plan: MemoryPlan,
): number {
  const { hidden, layers, vocab } = model;
  const tokens = (microRows ?? batchRows) * model.context;
  const block = blockElements(model);
  // With recomputation, of all blocks only what enters them is kept, and its copies and gradients; of one block all.
  const kept = plan === 'recompute' ? 5.5 * layers * hidden + 0.81 * block : 0.905 * layers * block;
  const logits = 2.42 * vocab;
  // Newton and Schulz turn one block's matrices at a time.
  const turning = muonElements(optimizer, layout) > 0 ? 12 * layout.blocks.elements : 0;
  return tokens * (kept + logits) + chunkElements(model, tokens) + turning;
}

/** Floats for each token that a block leaves for its way back. */
function blockElements({ hidden, heads, kvHeads, feedForward, context }: ModelConfig): number {
  const keyWidth = (hidden / heads) * kvHeads;
  return 12 * hidden + 4 * keyWidth + 5 * feedForward + (isChunked(context) ? 0 : heads * meanKeys(context));
}

/** Scores of blocks of 256 queries and of four widths, a few at a time; and of each layer the pieces of its attention. */
function chunkElements({ context, heads, hidden, layers }: ModelConfig, tokens: number): number {
  return isChunked(context) ? (6 * heads * 256 + 22 * hidden * layers) * tokens : 0;
}

/** As `decoder.ts` chooses. */
const isChunked = (context: number) => context > 512;
/** Keys that a query meets: `causalAttention` computes blocks of 128 queries up to the end of each block. */
const meanKeys = (context: number) => (context <= 128 ? context : (context + 128) / 2);

function evaluateBytes({ model, batchRows, microRows }: MemoryQuestion['rules']): number {
  return FLOAT * (microRows ?? batchRows) * model.context * (2.5 * model.vocab + 0.4 * blockElements(model));
}

/** Six arrays of parameters (base, two ends, change, values, next base), three of moments, and dense updates; and dead ones. */
function roundBytes({ optimizer, codec }: MemoryQuestion['rules'], layout: ParameterLayout): number {
  const moments = momentsBytes(momentSizes(optimizer, layout));
  const arrays = 6 * FLOAT * layout.elements;
  return arrays + Math.min(arrays, GARBAGE_BYTES) + 3 * moments + 6 * maxUpdateBytes(codec, layout);
}
