/** Which engine works here: what a run asks for, what its user asks for, and what this machine has. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { isWorldError, WorldError } from '@folkmoot/core';
import type { Engine, EngineKind } from '../engine.ts';
import { createEngine } from './create-engine.node.ts';
import { findAdapters, nvidiaGpus } from './gpu-adapters.node.ts';
import type { EngineOptions } from './threads.ts';

/** One way of computing, and whether it can be used here. */
export interface ProviderReport {
  readonly engine: EngineKind;
  readonly provider: 'cpu' | 'wasm' | 'webgpu' | 'cuda';
  /** What would compute, where it is known: `NVIDIA GeForce RTX 4090`. */
  readonly adapter?: string;
  readonly memoryBytes?: number;
  /** A GPU that is imitated by the processor: taken only when asked for. */
  readonly software: boolean;
  readonly available: boolean;
  /** In one line, why it is not available. */
  readonly reason?: string;
}

/** Looks, and opens nothing: a driver that is installed may still fail (`startEngine` notices). Never throws. */
export async function detectProviders(): Promise<ProviderReport[]> {
  const { adapters, reason } = await findAdapters();
  const always = { software: false, available: true } as const;
  const gpus = adapters.map(({ name, software, memoryBytes }): ProviderReport => {
    const report = { engine: 'webgpu', provider: 'webgpu', adapter: name, software, available: true } as const;
    return memoryBytes === undefined ? report : { ...report, memoryBytes };
  });
  const none: ProviderReport = { engine: 'webgpu', provider: 'webgpu', software: false, available: false, reason };
  return [
    { engine: 'native', provider: 'cpu', ...always },
    { engine: 'exact', provider: 'wasm', ...always },
    ...(adapters.some(({ software }) => !software) ? gpus : [none, ...gpus]),
    await cudaReport(),
  ];
}

/**
 * The engine for a run of class `run`: what its user asks for (`asked`, else the environment's FOLKMOOT_ENGINE), else
 * `exact` in a run of that class, else a GPU where there is one that computes rightly, else `native`.
 *
 * FOLKMOOT_SOFTWARE_GPU=1 lets `webgpu`, where it is asked for, take an adapter on the processor. Throws what
 * `createEngine` throws; `engine-unknown` where the environment names no engine.
 */
export async function startEngine(run: EngineKind, asked?: EngineKind, options: EngineOptions = {}): Promise<Engine> {
  const chosen = asked ?? engineOf(process.env.FOLKMOOT_ENGINE) ?? (run === 'exact' ? 'exact' : undefined);
  const softwareGpu = options.softwareGpu ?? process.env.FOLKMOOT_SOFTWARE_GPU === '1';
  if (chosen !== undefined) return createEngine(chosen, { ...options, softwareGpu });
  return createEngine('webgpu', { ...options, softwareGpu: false }).catch((error) => {
    if (!isWorldError(error, 'engine-unavailable')) throw error;
    return createEngine('native', options);
  });
}

/** The kind that `startEngine` would start: looks, and opens nothing. Throws `engine-unknown`. */
export async function likelyEngine(run: EngineKind, asked?: EngineKind): Promise<EngineKind> {
  const chosen = asked ?? engineOf(process.env.FOLKMOOT_ENGINE) ?? (run === 'exact' ? 'exact' : undefined);
  if (chosen !== undefined) return chosen;
  const reports = await detectProviders();
  return reports.some(({ engine, available, software }) => engine === 'webgpu' && available && !software)
    ? 'webgpu'
    : 'native';
}

const KINDS: readonly EngineKind[] = ['native', 'exact', 'webgpu'];

function engineOf(name: string | undefined): EngineKind | undefined {
  if (!name) return undefined;
  const kind = KINDS.find((kind) => kind === name);
  if (kind) return kind;
  throw new WorldError('engine-unknown', 'FOLKMOOT_ENGINE names no engine.', {
    facts: { FOLKMOOT_ENGINE: name },
    help: `Set it to one of ${KINDS.join(', ')}, or unset it.`,
  });
}

/**
 * ONNX Runtime's Node binding holds tensors in WebGPU's memory and in no other device's: with CUDA the whole state would
 * cross the bus twice in each step. So an NVIDIA card is used through WebGPU, and this only says so.
 */
async function cudaReport(): Promise<ProviderReport> {
  const report = { engine: 'native', provider: 'cuda', software: false, available: false } as const;
  const [card] = await nvidiaGpus();
  if (!card) return { ...report, reason: 'no NVIDIA GPU was found' };
  const binding = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  const library = join(binding, `bin/napi-v6/linux/${process.arch}/libonnxruntime_providers_cuda.so`);
  const reason = existsSync(library)
    ? 'its state would not stay on the card; webgpu uses the card instead'
    : 'ONNX Runtime’s CUDA library is not installed; webgpu uses the card instead';
  return { ...report, adapter: card.name, reason };
}
