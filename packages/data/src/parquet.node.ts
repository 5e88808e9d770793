/** Parquet files of this machine, decoded in a thread whose memory ends before this process's does. */
import { Worker } from 'node:worker_threads';
import { WorldError } from '@folkmoot/core';
import type { ParquetEvent } from './parquet.ts';
import type { ParquetReply, ParquetWorkerData } from './parquet.worker.node.ts';

/** Text of one row group twice over, as bytes and as characters of two bytes, and room to work. */
const MAX_HEAP_MIB = 1024;

/**
 * The rows of the file at `path`, called `name` in messages; see `parquetEvents`.
 *
 * Where the thread runs out of memory, the rest of the file counts as damaged. Throws `parquet-no-text`.
 */
export async function* readParquet(
  path: string,
  name: string,
  field?: string,
  maxHeapMib = MAX_HEAP_MIB,
): AsyncGenerator<ParquetEvent> {
  const workerData: ParquetWorkerData = { path, name, field };
  const worker = new Worker(entry(), {
    name: 'parquet',
    execArgv: [],
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: maxHeapMib },
  });
  try {
    for (;;) {
      const reply = await next(worker);
      if (reply === 'out-of-memory') return yield { kind: 'damaged', group: 0 };
      if (reply.kind === 'end') return;
      if (reply.kind === 'failed') throw new WorldError(reply.code, reply.message, reply);
      yield reply;
    }
  } finally {
    await worker.terminate();
  }
}

function next(worker: Worker): Promise<ParquetReply | 'out-of-memory'> {
  return new Promise((resolve, reject) => {
    worker.removeAllListeners();
    worker.once('message', resolve);
    worker.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') resolve('out-of-memory');
      else reject(error);
    });
    worker.postMessage('next');
  });
}

/** TypeScript in the workspace, JavaScript in the published package. */
function entry(): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./parquet.worker.node.${extension}`, import.meta.url);
}
