/** Worker entry of the `webgpu` engine in Node: ONNX Runtime's WebGPU provider (Dawn over Vulkan, Metal or D3D12). */
import { WorldError } from '@folkmoot/core';
import type * as Ort from 'onnxruntime-node';
import { DeviceHost } from './device-host.ts';
import type { DeviceRuntime } from './device-runtime.ts';
import { messageOf, serveHost } from './host.ts';
import { workerPort } from './worker-port.node.ts';
import type { DeviceOptions } from './worker-protocol.ts';

serveHost(workerPort(), new DeviceHost(startWebgpu));

async function startWebgpu({ adapter = 'GPU', only }: DeviceOptions): Promise<DeviceRuntime> {
  const ort = await import('onnxruntime-node').catch((cause) => {
    throw unavailable(messageOf(cause), cause);
  });
  return {
    name: `webgpu onnxruntime ${ort.env.versions.node} ${adapter}`.slice(0, 64),
    createTensor: (dtype, data, shape) => new ort.Tensor(dtype, data, shape),
    reshape: (tensor, shape) =>
      ort.Tensor.fromGpuBuffer((tensor as Ort.Tensor).gpuBuffer as never, { dataType: 'float32', dims: [...shape] }),
    createSession: (bytes, preferredOutputLocation) =>
      ort.InferenceSession.create(bytes, {
        executionProviders: ['webgpu'],
        preferredOutputLocation,
        executionMode: 'sequential',
        graphOptimizationLevel: 'all',
        enableMemPattern: false,
        extra: { session: { disable_cpu_ep_fallback: only ? '1' : '0' } },
        logSeverityLevel: 4,
      }) as never,
    // The binding tells nothing by itself: only failing runs do.
    trouble: () => undefined,
    aftermath: async () => {},
  };
}

function unavailable(reason: string, cause: unknown): WorldError {
  return new WorldError('engine-unavailable', 'The webgpu engine does not work on this machine.', {
    facts: { platform: process.platform, architecture: process.arch, reason },
    help: 'Use the native engine: --engine native.',
    cause,
  });
}
