/** Worker entry of the `native` engine: ONNX Runtime's own CPU code. */
import { assert, WorldError } from '@folkmoot/core';
import { type Runtime, serveEngine } from './host.ts';
import { nativeOptions } from './native-options.node.ts';
import { workerPort } from './worker-port.node.ts';

serveEngine(workerPort(), startNative);

async function startNative(threads: number): Promise<Runtime> {
  const ort = await import('onnxruntime-node').catch((cause) => {
    throw new WorldError('engine-unavailable', 'The native engine does not work on this machine.', {
      facts: { platform: process.platform, architecture: process.arch, reason: String(cause?.message ?? cause) },
      help: 'Use the exact engine: --engine exact.',
      cause,
    });
  });
  // Where the WebAssembly build was loaded first, ONNX Runtime keeps it under the name `cpu`, in that thread.
  assert(ort.env.versions.web === undefined, 'native and exact live in threads of their own');
  return {
    name: `native onnxruntime ${ort.env.versions.node} cpu ${process.arch}`,
    writesInPlace: true,
    createTensor: (dtype, data, shape) => new ort.Tensor(dtype, data, shape),
    createSession: (bytes) => ort.InferenceSession.create(bytes, nativeOptions(threads)) as never,
  };
}
