/** The arbiter: one WebAssembly build of ONNX Runtime, the same bytes and so the same bits on every machine. */
import { type Hash, sha256, WorldError } from '@folkmoot/core';
import type * as Ort from 'onnxruntime-web';
import { OPERATOR_BY_OPERATOR, type Runtime } from './host.ts';

/**
 * sha-256 of `ort-wasm-simd-threaded.wasm` of onnxruntime-web 1.30.0. It has no relaxed-SIMD instruction, whose results
 * may differ between processors. Another build may round differently, so changing it starts a new kind of engine.
 */
export const EXACT_WASM_SHA256: Hash = '3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2';

/** Throws `engine-mismatch` unless `wasm` is the build that members agree on. */
export function checkExactWasm(wasm: Uint8Array): void {
  const found = sha256(wasm);
  if (found === EXACT_WASM_SHA256) return;
  throw new WorldError('engine-mismatch', 'The WebAssembly file of the exact engine is not the one members agree on.', {
    facts: { expected: EXACT_WASM_SHA256, found },
    help: 'Install the dependencies again with the frozen lockfile: onnxruntime-web must be exactly 1.30.0.',
  });
}

/** Starts `ort` on exactly the bytes of `wasm`, which are checked first. `threads` at least 1. */
export async function startExact(ort: typeof Ort, wasm: Uint8Array, threads: number): Promise<Runtime> {
  checkExactWasm(wasm);
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmBinary = wasm;
  return {
    name: `exact onnxruntime-web ${ort.env.versions.web} wasm ${EXACT_WASM_SHA256.slice(0, 12)}`,
    writesInPlace: false,
    createTensor: (dtype, data, shape) => new ort.Tensor(dtype, data, shape),
    createSession: (bytes) =>
      ort.InferenceSession.create(bytes, {
        executionProviders: ['wasm'],
        executionMode: 'sequential',
        graphOptimizationLevel: OPERATOR_BY_OPERATOR,
        enableMemPattern: false,
        logSeverityLevel: 4,
      }) as never,
  };
}
