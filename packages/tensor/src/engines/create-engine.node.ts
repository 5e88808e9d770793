/** Engines in Node: each in a worker thread, since a step of training blocks its thread for a second. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Engine, EngineKind } from '../engine.ts';
import { type EngineChannel, openEngine } from './remote.ts';
import { type EngineOptions, threadsFor } from './threads.ts';

export type { EngineOptions };

/**
 * Starts an engine. It does not keep the process alive while it has nothing to do.
 *
 * Throws `engine-unavailable` where this machine lacks the native library, `engine-mismatch` where the WebAssembly file
 * is not the agreed one, `RangeError` on a bad option.
 */
export async function createEngine(kind: EngineKind, options: EngineOptions = {}): Promise<Engine> {
  const threads = threadsFor(kind, options, availableParallelism());
  return openEngine(kind, threads, workerChannel(startWorker(kind)));
}

function startWorker(kind: EngineKind): Worker {
  // Without the main thread's flags: the worker needs none, and some (`--input-type`) stop it.
  return new Worker(entryOf(kind), { name: `${kind} engine`, execArgv: [] });
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
