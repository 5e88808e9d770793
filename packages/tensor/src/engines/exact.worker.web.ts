/** Worker entry of the `exact` engine in a browser: the same WebAssembly file as in Node. */
import { WorldError } from '@folkmoot/core';
import * as ort from 'onnxruntime-web/wasm';
import { startExact } from './exact.ts';
import { serveEngine } from './host.ts';
import { workerPort } from './worker-port.web.ts';

serveEngine(workerPort(), async (threads) => {
  // ONNX Runtime starts its threads from a script of its own. Left to itself it would start this bundle once for each.
  const mjs = new URL('onnxruntime-web/ort-wasm-simd-threaded.mjs', import.meta.url);
  ort.env.wasm.wasmPaths = { mjs };
  return startExact(ort, await fetchWasm(), threads);
});

/** The bytes that are hashed are the bytes that are compiled: ONNX Runtime is given them, and fetches nothing. */
async function fetchWasm(): Promise<Uint8Array> {
  const url = new URL('onnxruntime-web/ort-wasm-simd-threaded.wasm', import.meta.url);
  const response = await fetch(url).catch(
    (cause) => ({ ok: false, statusText: String(cause?.message ?? cause) }) as const,
  );
  if (response.ok) return new Uint8Array(await response.arrayBuffer());
  throw new WorldError('engine-unavailable', 'The exact engine could not be fetched.', {
    facts: { url: url.href, reason: response.statusText },
    help: 'Check the connection and load the page again.',
  });
}
