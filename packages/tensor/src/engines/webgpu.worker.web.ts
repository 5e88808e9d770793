/** Worker entry of the `webgpu` engine in a browser: ONNX Runtime's WebGPU provider, on a device that we open. */
import { WorldError } from '@folkmoot/core';
import * as ort from 'onnxruntime-web/webgpu';
import { DeviceHost } from './device-host.ts';
import { type DeviceRuntime, type DeviceTrouble, troubleIn } from './device-runtime.ts';
import { messageOf, serveHost } from './host.ts';
import { workerPort } from './worker-port.web.ts';
import type { DeviceOptions } from './worker-protocol.ts';

/** A run fails a moment before its device is called lost. */
const AFTERMATH_MS = 2000;

serveHost(workerPort(), new DeviceHost(startWebgpu));

async function startWebgpu({ software, only }: DeviceOptions): Promise<DeviceRuntime> {
  const { adapter, device } = await openDevice(software);
  const trouble = watch(device);
  // Without it ONNX Runtime asks for another one, for nothing.
  ort.env.webgpu.adapter = adapter;
  ort.env.webgpu.device = device;
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = {
    wasm: new URL('onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm', import.meta.url),
  };
  return {
    name: `webgpu onnxruntime-web ${ort.env.versions.web} ${describe(device.adapterInfo)}`.slice(0, 64),
    createTensor: (dtype, data, shape) => new ort.Tensor(dtype, data, shape),
    reshape: (tensor, shape) =>
      ort.Tensor.fromGpuBuffer((tensor as ort.Tensor).gpuBuffer, { dataType: 'float32', dims: [...shape] }),
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
    trouble,
    aftermath: async () => {
      await Promise.race([device.lost, new Promise((resolve) => setTimeout(resolve, AFTERMATH_MS))]);
    },
  };
}

/** With all that the adapter can do: the limits that WebGPU grants by itself end at buffers of 256 MiB. */
async function openDevice(software: boolean): Promise<{ adapter: GPUAdapter; device: GPUDevice }> {
  const gpu = navigator.gpu as GPU | undefined;
  if (!gpu) throw unavailable('this browser has no WebGPU, or the page is not from a secure address');
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw unavailable('the browser offers no GPU');
  if (adapter.info.isFallbackAdapter && !software) throw unavailable('the browser offers a software adapter only');
  const requiredLimits: Record<string, number> = {};
  for (const limit in adapter.limits) {
    const value = adapter.limits[limit as keyof GPUSupportedLimits];
    if (typeof value === 'number') requiredLimits[limit] = value;
  }
  const requiredFeatures = (['shader-f16', 'subgroups'] as GPUFeatureName[]).filter((name) =>
    adapter.features.has(name),
  );
  const device = await adapter.requestDevice({ requiredLimits, requiredFeatures }).catch((cause) => {
    throw unavailable(messageOf(cause), cause);
  });
  return { adapter, device };
}

/** A device says by events what has befallen it; its calls go on as if nothing had. */
function watch(device: GPUDevice): () => DeviceTrouble | undefined {
  let trouble: DeviceTrouble | undefined;
  void device.lost.then(({ reason, message }) => {
    trouble = { kind: 'lost', reason: message || reason };
  });
  device.addEventListener('uncapturederror', ({ error }) => {
    const full = error instanceof GPUOutOfMemoryError || troubleIn(error.message)?.kind === 'memory';
    trouble ??= { kind: full ? 'memory' : 'lost', reason: error.message };
  });
  return () => trouble;
}

/** As much as the browser tells: `nvidia ampere`, `software SwiftShader driver 5.0.0`. */
function describe({ vendor, architecture, description, isFallbackAdapter }: GPUAdapterInfo): string {
  const hardware = [vendor, architecture].filter((word) => word !== '').join(' ') || 'GPU';
  return isFallbackAdapter ? `software ${description || hardware}` : hardware;
}

function unavailable(reason: string, cause?: unknown): WorldError {
  return new WorldError('engine-unavailable', 'The webgpu engine does not work in this browser.', {
    facts: { reason },
    help: 'Use the exact engine.',
    cause,
  });
}
