/** The worker's end of the wire in a browser. */
import type { HostPort } from './host.ts';

/** As much of a dedicated worker's scope as we use; the types of pages do not have it. */
interface WorkerScope {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: 'message', handler: (event: MessageEvent) => void): void;
}

export function workerPort(): HostPort {
  const scope = globalThis as unknown as WorkerScope;
  return {
    post: (reply, transfer) => scope.postMessage(reply, transfer),
    onRequest: (handler) => scope.addEventListener('message', ({ data }) => handler(data)),
  };
}
