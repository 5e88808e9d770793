/** Engines in Node: each in a worker thread, since a step of training blocks its thread for a second. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { WorldError } from '@folkmoot/core';
import type { Engine, EngineKind } from '../engine.ts';
import { findAdapters } from './gpu-adapters.node.ts';
import { type EngineChannel, openEngine } from './remote.ts';
import { type EngineOptions, threadsFor } from './threads.ts';
import type { DeviceOptions } from './worker-protocol.ts';

export { type OperatorTime, type ProfileOptions, profileProgram } from './profile.node.ts';
export type { EngineOptions };

/**
 * Starts an engine. It does not keep the process alive while it has nothing to do. One `webgpu` engine at a time in a
 * process: ONNX Runtime's device is one for all threads.
 *
 * Throws `engine-unavailable` where this machine lacks the native library, `engine-mismatch` where the WebAssembly file
 * is not the agreed one, `RangeError` on a bad option. `webgpu`: `engine-unavailable` where there is no GPU that works.
 */
export async function createEngine(kind: EngineKind, options: EngineOptions = {}): Promise<Engine> {
  const threads = threadsFor(kind, options, availableParallelism());
  const device = kind === 'webgpu' ? await takeAdapter(options) : undefined;
  return openEngine(kind, threads, workerChannel(startWorker(kind)), device);
}

function startWorker(kind: EngineKind): Worker {
  // Without the main thread's flags: the worker needs none, and some (`--input-type`) stop it.
  return new Worker(entryOf(kind), { name: `${kind} engine`, execArgv: [] });
}

/** Finds an adapter, and lets Vulkan's loader see the drivers of its sort only. */
async function takeAdapter({ softwareGpu = false, gpuOnly = false }: EngineOptions): Promise<DeviceOptions> {
  const { adapters, reason = 'no GPU was found' } = await findAdapters();
  const adapter = adapters.find(({ software }) => !software) ?? (softwareGpu ? adapters[0] : undefined);
  if (!adapter)
    throw new WorldError('engine-unavailable', 'The webgpu engine needs a GPU with a working driver.', {
      facts: { reason },
      help: 'Use the native engine: --engine native.',
    });
  if (adapter.drivers) {
    // Both names: loaders before Vulkan 1.3.207 know the second only.
    process.env.VK_DRIVER_FILES = adapter.drivers.join(':');
    process.env.VK_ICD_FILENAMES = process.env.VK_DRIVER_FILES;
  }
  return { software: softwareGpu, only: gpuOnly, adapter: adapter.name };
}

/** The worker's file: TypeScript in the workspace, JavaScript in the published package. */
function entryOf(kind: EngineKind): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./${kind}.worker.node.${extension}`, import.meta.url);
}

function workerChannel(worker: Worker): EngineChannel {
  let reason = 'the worker thread ended';
  worker.on('error', (error) => {
    reason = String(error?.message ?? error);
  });
  return {
    post: (request, transfer) => worker.postMessage(request, transfer),
    onReply: (handler) => worker.on('message', handler),
    onEnd: (handler) => worker.on('exit', (code) => handler(`${reason} (exit code ${code})`)),
    keepAlive: (alive) => (alive ? worker.ref() : worker.unref()),
    terminate: async () => {
      await worker.terminate();
    },
  };
}
