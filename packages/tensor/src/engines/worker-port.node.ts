/** The worker's end of the wire in Node. */
import { parentPort } from 'node:worker_threads';
import { assert } from '@folkmoot/core';
import type { HostPort } from './host.ts';

export function workerPort(): HostPort {
  const port = parentPort;
  assert(port, 'an engine entry runs in a worker thread');
  return {
    post: (reply, transfer) => port.postMessage(reply, transfer),
    onRequest: (handler) => port.on('message', handler),
  };
}
