/** A thread of the WebAssembly engine. */
import { parentPort, workerData } from 'node:worker_threads';
import { serve } from './engines.ts';

parentPort!.postMessage('ready');
serve(workerData.module, workerData.memory, workerData.index, workerData.threads);
