/** The thread in which a Parquet file is decoded: one event for each request. */
import { open } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { isWorldError } from '@folkmoot/core';
import type { AsyncBuffer } from 'hyparquet';
import { type ParquetEvent, parquetEvents } from './parquet.ts';

export interface ParquetWorkerData {
  readonly path: string;
  /** For messages. */
  readonly name: string;
  readonly field: string | undefined;
}

export type ParquetReply =
  | ParquetEvent
  | { readonly kind: 'end' }
  | {
      readonly kind: 'failed';
      readonly code: string;
      readonly message: string;
      readonly facts: Readonly<Record<string, string | number>>;
      readonly help: string;
    };

const { path, name, field } = workerData as ParquetWorkerData;
const events = bufferOf(path).then((file) => parquetEvents(file, name, field));

parentPort!.on('message', () => void answer().then((reply) => parentPort!.postMessage(reply)));

async function answer(): Promise<ParquetReply> {
  try {
    const { done, value } = await (await events).next();
    return done ? { kind: 'end' } : value;
  } catch (error) {
    if (!isWorldError(error)) throw error;
    const { code, message, facts, help } = error;
    return { kind: 'failed', code, message, facts, help };
  }
}

/** Reads no more than what is there, wherever the file says that something lies. */
async function bufferOf(file: string): Promise<AsyncBuffer> {
  const handle = await open(file);
  const { size } = await handle.stat();
  return {
    byteLength: size,
    slice: async (start, end = size) => {
      if (!(start >= 0 && end >= start && end <= size)) throw new RangeError('beyond the end of the file');
      const bytes = new Uint8Array(end - start);
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, start);
      if (bytesRead < bytes.length) throw new RangeError('the file became shorter');
      return bytes.buffer;
    },
  };
}
