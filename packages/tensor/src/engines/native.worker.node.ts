/** Worker entry of the `native` engine: ONNX Runtime's own CPU code. */
import { WorldError } from '@folkmoot/core';
import { type Runtime, serveEngine } from './host.ts';
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
  return {
    name: `native onnxruntime ${ort.env.versions.node} cpu ${process.arch}`,
    writesInPlace: true,
    createTensor: (dtype, data, shape) => new ort.Tensor(dtype, data, shape),
    createSession: (bytes) =>
      ort.InferenceSession.create(bytes, {
        executionProviders: ['cpu'],
        executionMode: 'sequential',
        graphOptimizationLevel: 'all',
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        // A training step needs 630 MB instead of 1,040 MB (4.46M parameters) and takes as long.
        enableMemPattern: false,
        // Idle threads that spin take the processor from other members on this machine: two at once were 1.7 times slower.
        extra: { session: { intra_op: { allow_spinning: '0' } } },
        // Failures are thrown already; ONNX Runtime would print them too.
        logSeverityLevel: 4,
      }) as never,
  };
}
