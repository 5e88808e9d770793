/** ONNX Runtime on a GPU, as much of it as we use, and what can befall a GPU. */
import { WorldError } from '@folkmoot/core';
import type { TensorData } from '../engine.ts';
import type { DType } from '../program.ts';
import { firstLine, messageOf, type OrtSession, type OrtTensor, outOfMemory } from './host.ts';

export type Location = 'cpu' | 'gpu-buffer';

/** An output that ONNX Runtime has left on the device: to be given back by whoever has it. */
export interface GpuTensor extends OrtTensor {
  dispose(): void;
}

export interface DeviceRuntime {
  /** See `Engine.name`. */
  readonly name: string;
  createTensor(dtype: DType, data: TensorData, shape: readonly number[]): OrtTensor;
  /** The same float32 memory as `tensor`, in `shape`. It is still `tensor` that has to be given back. */
  reshape(tensor: OrtTensor, shape: readonly number[]): OrtTensor;
  /** `locations`: where each output shall be, by its name. */
  createSession(bytes: Uint8Array, locations: Readonly<Record<string, Location>>): Promise<OrtSession>;
  /** What has befallen the device, as far as it says so by itself. From then on nothing that it computes counts. */
  trouble(): DeviceTrouble | undefined;
  /** After a failure: waits as long as the device may take to say what has befallen it. */
  aftermath(): Promise<void>;
}

export interface DeviceTrouble {
  readonly kind: 'lost' | 'memory';
  readonly reason: string;
}

/** Throws what has befallen the device, if anything has. */
export function checkDevice(runtime: DeviceRuntime): void {
  const trouble = runtime.trouble();
  if (trouble) throw troubleError(trouble, runtime.name);
}

/**
 * Waits for `work`. Where it fails because of the device, throws `engine-device-lost` or `engine-memory`; otherwise what
 * `failure` makes of the error. A device that fails without failing the work (its buffers read as zeros) is noticed too.
 */
export async function onDevice<T>(
  runtime: DeviceRuntime,
  work: Promise<T>,
  failure: (error: unknown) => WorldError,
): Promise<T> {
  try {
    const result = await work;
    checkDevice(runtime);
    return result;
  } catch (error) {
    await runtime.aftermath();
    checkDevice(runtime);
    const trouble = troubleIn(messageOf(error));
    throw trouble ? troubleError(trouble, runtime.name) : failure(error);
  }
}

/** ONNX Runtime hands on the words of the driver below it; there is no code to go by. */
export function troubleIn(message: string): DeviceTrouble | undefined {
  const reason = firstLine(message);
  if (/device (is |was |has been )?lost|DEVICE_LOST|external Instance reference no longer exists/i.test(message))
    return { kind: 'lost', reason };
  if (/out of (device |host )?memory|OUT_OF_(DEVICE|HOST)_MEMORY|bad_alloc|max(imum)? ?buffer ?size/i.test(message))
    return { kind: 'memory', reason };
  return undefined;
}

function troubleError({ kind, reason }: DeviceTrouble, engine: string): WorldError {
  if (kind === 'memory') return outOfMemory({ engine, reason });
  return new WorldError('engine-device-lost', 'The GPU stopped working in the middle of it.', {
    facts: { engine, reason },
    help: 'Start the engine again: the work goes on from the last segment. If it happens again, use another engine.',
  });
}
