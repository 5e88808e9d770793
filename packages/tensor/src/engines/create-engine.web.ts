/** Engines in a browser: each in a worker, since a step of training blocks its thread for a second. */
import type { Engine } from '../engine.ts';
import { type EngineChannel, openEngine } from './remote.ts';
import { type EngineOptions, threadsFor } from './threads.ts';

export type { EngineOptions };

/** The engines that a page can start. */
export type WebEngineKind = keyof typeof WORKERS;

// A bundler finds a worker and what it loads only where `new Worker(new URL(…))` is written out.
const WORKERS = {
  exact: () => new Worker(new URL('./exact.worker.web.ts', import.meta.url), { name: 'exact engine', type: 'module' }),
  webgpu: () =>
    new Worker(new URL('./webgpu.worker.web.ts', import.meta.url), { name: 'webgpu engine', type: 'module' }),
} as const;

/**
 * Starts an engine, as `createEngine` of `@folkmoot/tensor/node` does.
 *
 * A page that is not cross-origin isolated (COOP `same-origin` and COEP `require-corp`) has one thread, whatever it asks
 * for; the bits are the same. Throws `engine-mismatch` where the WebAssembly file is not the agreed one,
 * `engine-unavailable` where it cannot be fetched or there is no GPU, `RangeError` on a bad option.
 */
export async function createEngine(kind: WebEngineKind, options: EngineOptions = {}): Promise<Engine> {
  const wanted = threadsFor(kind, options, navigator.hardwareConcurrency);
  const threads = globalThis.crossOriginIsolated ? wanted : 1;
  const device = { software: options.softwareGpu ?? false, only: options.gpuOnly ?? false };
  return openEngine(kind, threads, workerChannel(WORKERS[kind]()), device);
}

function workerChannel(worker: Worker): EngineChannel {
  return {
    post: (request, transfer) => worker.postMessage(request, transfer),
    onReply: (handler) => worker.addEventListener('message', ({ data }) => handler(data)),
    // A browser does not end a worker that failed; it answers nothing any more, which is the same to who waits.
    onEnd: (handler) =>
      worker.addEventListener('error', ({ message }) => handler(message || 'the worker could not be loaded')),
    keepAlive: () => {},
    terminate: async () => worker.terminate(),
  };
}
