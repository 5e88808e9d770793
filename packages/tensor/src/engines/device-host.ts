/**
 * The part of an engine that lives in its worker where memory is on a GPU: parameters and optimizer state stay there
 * between runs, results are left where they were computed, and only what is asked for comes back.
 *
 * Integers are the exception: token ids are few and come from this side anyway, so int32 buffers are arrays here.
 */
import { assert, bytesOf, sha256 } from '@folkmoot/core';
import type { TensorData } from '../engine.ts';
import type { Program, TensorSpec } from '../program.ts';
import { elementCount } from './bindings.ts';
import { type CopyTarget, DeviceCopies, Held } from './device-copies.ts';
import { PiecedBuffer, wholeTensor } from './device-memory.ts';
import { probeDevice } from './device-probe.ts';
import { checkDevice, type DeviceRuntime, type GpuTensor, type Location, onDevice } from './device-runtime.ts';
import {
  checkBytes,
  checkInterface,
  type Host,
  interrupted,
  invalidProgram,
  messageOf,
  type OrtSession,
  type OrtTensor,
  runFailed,
} from './host.ts';
import type { Arguments, DeviceOptions, Result, WireRun } from './worker-protocol.ts';

interface Loaded {
  readonly program: Program;
  /** One session for each choice of where outputs shall be: ONNX Runtime wants to know before. */
  readonly sessions: Map<string, OrtSession>;
}

interface Device {
  readonly runtime: DeviceRuntime;
  readonly copies: DeviceCopies;
  /** The session that was there first; while it is, ONNX Runtime keeps the device. */
  readonly first: OrtSession;
}

export class DeviceHost implements Host {
  readonly #start: (options: DeviceOptions) => Promise<DeviceRuntime>;
  readonly #probe: (runtime: DeviceRuntime) => Promise<OrtSession>;
  readonly #executables = new Map<number, Loaded>();
  readonly #buffers = new Map<number, PiecedBuffer<Held> | Int32Array>();
  #device: Device | undefined;
  #interrupted = false;

  /** `start` is called when `open` comes; then `probe` says whether what it gave is fit for work. */
  constructor(start: (options: DeviceOptions) => Promise<DeviceRuntime>, probe = probeDevice) {
    this.#start = start;
    this.#probe = probe;
  }

  interrupt(): void {
    this.#interrupted = true;
  }

  async open({ device }: Arguments<'open'>): Promise<Result<'open'>> {
    assert(device, 'a GPU engine is told which device to take');
    const runtime = await this.#start(device);
    const first = await this.#probe(runtime);
    this.#device = { runtime, copies: new DeviceCopies(runtime), first };
    return { name: runtime.name, memory: 'device' };
  }

  async load({ executable, program }: Arguments<'load'>): Promise<void> {
    checkBytes(program);
    const loaded = { program, sessions: new Map<string, OrtSession>() };
    // The likely choice: numbers are looked at, tensors go on to the next program.
    const session = await this.#session(
      loaded,
      program.outputs.map(({ shape }) => (shape.length === 0 ? 'cpu' : 'gpu-buffer')),
    );
    this.#executables.set(executable, loaded);
    try {
      checkInterface(program, session);
    } catch (error) {
      await this.unload({ executable });
      throw error;
    }
  }

  async run({ executable, run }: Arguments<'run'>): Promise<Result<'run'>> {
    const results = await this.#execute(executable, run, 'cpu');
    return results.map((result) => result && ownData(result));
  }

  async runEach({ executable, runs }: Arguments<'runEach'>): Promise<void> {
    for (const run of runs) {
      if (this.#interrupted) throw interrupted();
      for (const dropped of await this.#execute(executable, run, 'gpu-buffer'))
        (dropped as GpuTensor | null)?.dispose();
    }
  }

  async unload({ executable }: Arguments<'unload'>): Promise<void> {
    const { sessions } = this.#loaded(executable);
    this.#executables.delete(executable);
    for (const session of sessions.values()) await session.release();
  }

  /** Takes no memory on the device yet: that comes with what is written. */
  allocate({ buffer, dtype, elements }: Arguments<'allocate'>): void {
    checkDevice(this.#ready().runtime);
    this.#buffers.set(buffer, dtype === 'int32' ? new Int32Array(elements) : new PiecedBuffer<Held>(elements));
  }

  async write({ buffer, offset, data }: Arguments<'write'>): Promise<void> {
    const memory = this.#buffer(buffer);
    if (memory instanceof Int32Array) memory.set(data, offset);
    else if (data.length > 0) memory.put(offset, await this.#ready().copies.upload(data as Float32Array));
  }

  async read({ buffer, offset, length }: Arguments<'read'>): Promise<TensorData> {
    const memory = this.#buffer(buffer);
    if (memory instanceof Int32Array) return memory.slice(offset, offset + length);
    if (length === 0) return new Float32Array(0);
    const target = { shape: [length], stretches: memory.stretches(offset, length) };
    const [result] = await this.#ready().copies.make([target], 'cpu');
    return ownData(result!);
  }

  async digest({ buffer }: Arguments<'digest'>): Promise<Result<'digest'>> {
    const memory = this.#buffer(buffer);
    const length = memory instanceof Int32Array ? memory.length : memory.elements;
    return sha256(bytesOf(await this.read({ buffer, offset: 0, length })));
  }

  free({ buffer }: Arguments<'free'>): void {
    const memory = this.#buffer(buffer);
    if (memory instanceof PiecedBuffer) memory.clear();
    this.#buffers.delete(buffer);
  }

  async close(): Promise<void> {
    for (const buffer of [...this.#buffers.keys()]) this.free({ buffer });
    for (const executable of [...this.#executables.keys()]) await this.unload({ executable });
    await this.#device?.copies.close();
    await this.#device?.first.release();
  }

  /** Runs once; bound outputs are in their buffers then, the others come back, left at `unbound`. */
  async #execute(executable: number, run: WireRun, unbound: Location): Promise<(OrtTensor | null)[]> {
    const loaded = this.#loaded(executable);
    const { outputs } = loaded.program;
    const locations = outputs.map(({ dtype }, i): Location => {
      if (dtype === 'int32') return 'cpu';
      return run.outputs[i] ? 'gpu-buffer' : unbound;
    });
    const session = await this.#session(loaded, locations);
    const { runtime } = this.#ready();
    const { feeds, made } = await this.#feeds(loaded.program, run);
    // All outputs are asked for: ONNX Runtime matches locations with outputs by position.
    const fetches = Object.fromEntries(outputs.map(({ name }) => [name, null]));
    const results = await onDevice(runtime, session.run(feeds, fetches, { logSeverityLevel: 4 }), (error) =>
      runFailed(loaded.program, runtime.name, error),
    ).finally(() => {
      for (const tensor of made) tensor.dispose();
    });
    return outputs.map((spec, i) => {
      const view = run.outputs[i];
      if (!view) return results[spec.name]!;
      const memory = this.#buffer(view.buffer);
      if (memory instanceof Int32Array) memory.set(ownData(results[spec.name]!), view.offset);
      else memory.put(view.offset, new Held(results[spec.name] as GpuTensor, elementCount(spec.shape)));
      return null;
    });
  }

  /** The inputs of a run, and those among them that were put together for it. */
  async #feeds(program: Program, run: WireRun): Promise<{ feeds: Record<string, OrtTensor>; made: GpuTensor[] }> {
    const { runtime, copies } = this.#ready();
    const feeds: Record<string, OrtTensor> = {};
    const missing: (CopyTarget<Held> & { name: string })[] = [];
    program.inputs.forEach((spec, i) => {
      const found = this.#input(spec, run.inputs[i]!);
      if (Array.isArray(found)) missing.push({ name: spec.name, shape: spec.shape, stretches: found });
      else if (found instanceof Held) feeds[spec.name] = runtime.reshape(found.tensor, spec.shape);
      else feeds[spec.name] = runtime.createTensor(spec.dtype, found as TensorData, spec.shape);
    });
    const made = missing.length > 0 ? ((await copies.make(missing, 'gpu-buffer')) as GpuTensor[]) : [];
    missing.forEach(({ name }, i) => {
      feeds[name] = made[i]!;
    });
    return { feeds, made };
  }

  /** What an input reads: data, a whole tensor where it lies, or what it has to be put together from. */
  #input(spec: TensorSpec, binding: WireRun['inputs'][0]): TensorData | Held | CopyTarget<Held>['stretches'] {
    if (ArrayBuffer.isView(binding)) return binding;
    const memory = this.#buffer(binding.buffer);
    const elements = elementCount(spec.shape);
    if (memory instanceof Int32Array) return memory.slice(binding.offset, binding.offset + elements);
    const stretches = memory.stretches(binding.offset, elements);
    return wholeTensor(stretches) ?? stretches;
  }

  async #session({ program, sessions }: Loaded, locations: readonly Location[]): Promise<OrtSession> {
    const key = locations.join();
    const known = sessions.get(key);
    if (known) return known;
    const { runtime } = this.#ready();
    const byName = Object.fromEntries(program.outputs.map(({ name }, i) => [name, locations[i]!]));
    const session = await onDevice(runtime, runtime.createSession(program.bytes, byName), (error) =>
      invalidProgram(program, messageOf(error)),
    );
    sessions.set(key, session);
    return session;
  }

  #ready(): Device {
    assert(this.#device, 'open comes before everything else');
    return this.#device;
  }

  #loaded(executable: number): Loaded {
    const loaded = this.#executables.get(executable);
    assert(loaded, `executable ${executable} is loaded`);
    return loaded;
  }

  #buffer(buffer: number): PiecedBuffer<Held> | Int32Array {
    const memory = this.#buffers.get(buffer);
    assert(memory, `buffer ${buffer} is allocated`);
    return memory;
  }
}

/** A result's data, in a buffer of its own that can be moved to another thread. */
function ownData({ data }: OrtTensor): TensorData {
  const array = data as TensorData;
  return array.byteLength === array.buffer.byteLength ? array : array.slice();
}
