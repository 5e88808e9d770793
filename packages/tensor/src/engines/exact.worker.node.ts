/** Worker entry of the `exact` engine in Node: ONNX Runtime's CPU code as WebAssembly. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { startExact } from './exact.ts';
import { serveEngine } from './host.ts';
import { workerPort } from './worker-port.node.ts';

serveEngine(workerPort(), async (threads) => {
  const wasm = await readFile(fileURLToPath(import.meta.resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm')));
  return startExact(await import('onnxruntime-web'), wasm, threads);
});
