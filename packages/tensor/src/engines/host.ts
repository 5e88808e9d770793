/** The part of an engine that lives in its worker: buffers, sessions, and one request after another. */
import { assert, bytesOf, sha256, WorldError } from '@folkmoot/core';
import type { TensorData } from '../engine.ts';
import type { DType, Program, TensorSpec } from '../program.ts';
import { elementCount } from './bindings.ts';
import { elementwiseKernel, type Kernel } from './elementwise-kernel.ts';
import {
  type Arguments,
  errorToWire,
  type Operation,
  type Reply,
  type Request,
  type Result,
  transferable,
  type WireRun,
  type WireView,
} from './worker-protocol.ts';

/** As much of ONNX Runtime's JavaScript interface as we use; `onnxruntime-node` and `onnxruntime-web` both have it. */
export interface OrtTensor {
  readonly data: unknown;
}
export interface OrtSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(
    feeds: Record<string, OrtTensor>,
    fetches: Record<string, OrtTensor | null>,
    options: { logSeverityLevel: 4 },
  ): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}

/**
 * No rewriting of programs, on every engine whose bits count: a program then gives the bits that its operators give one by
 * one, so that a dispute can end at a single one of them. Fusions would round in another order (and save no time).
 */
export const OPERATOR_BY_OPERATOR = 'disabled';

/** One build of ONNX Runtime, started with its number of threads. */
export interface Runtime {
  /** See `Engine.name`. */
  readonly name: string;
  /** Whether a tensor given for an output is written; otherwise outputs come back in memory of their own. */
  readonly writesInPlace: boolean;
  createTensor(dtype: DType, data: TensorData, shape: readonly number[]): OrtTensor;
  createSession(bytes: Uint8Array): Promise<OrtSession>;
}

/** The worker's end of the wire. */
export interface HostPort {
  post(reply: Reply, transfer: ArrayBuffer[]): void;
  onRequest(handler: (request: Request) => void): void;
}

/** What answers requests, one at a time. */
export type Host = Handlers & {
  /** Makes a batch stop after the run in progress. */
  interrupt(): void;
};

/** Answers the requests that arrive at `port`, in order, until `close`; `start` makes the runtime when `open` comes. */
export function serveEngine(port: HostPort, start: (threads: number) => Promise<Runtime>): void {
  serveHost(port, new EngineHost(start));
}

/** Answers the requests that arrive at `port` with `host`, in order, until `close`. */
export function serveHost(port: HostPort, host: Host): void {
  // One at a time: a run after a write must see what was written, although sessions answer asynchronously.
  let last = Promise.resolve();
  port.onRequest((request) => {
    if (request.operation === 'close') host.interrupt();
    last = last.then(async () => {
      try {
        const value = await (host as Handlers)[request.operation](request.args as never);
        port.post({ id: request.id, value }, transferable(Array.isArray(value) ? value : [value]));
      } catch (error) {
        port.post({ id: request.id, error: errorToWire(error) }, []);
      }
    });
  });
}

type Handlers = { [K in Operation]: (args: Arguments<K>) => Result<K> | Promise<Result<K>> };

class EngineHost implements Host {
  readonly #start: (threads: number) => Promise<Runtime>;
  readonly #sessions = new Map<number, { program: Program; session: OrtSession | Kernel }>();
  readonly #buffers = new Map<number, TensorData>();
  #runtime: Runtime | undefined;
  #interrupted = false;

  constructor(start: (threads: number) => Promise<Runtime>) {
    this.#start = start;
  }

  interrupt(): void {
    this.#interrupted = true;
  }

  async open({ threads }: Arguments<'open'>): Promise<Result<'open'>> {
    this.#runtime = await this.#start(threads);
    return { name: this.#runtime.name, memory: 'host' };
  }

  async load({ executable, program }: Arguments<'load'>): Promise<void> {
    checkBytes(program);
    const kernel = elementwiseKernel(program);
    if (kernel) {
      this.#sessions.set(executable, { program, session: kernel });
      return;
    }
    const session = await this.#ready()
      .createSession(program.bytes)
      .catch((error) => {
        throw invalidProgram(program, messageOf(error));
      });
    this.#sessions.set(executable, { program, session });
    try {
      checkInterface(program, session);
    } catch (error) {
      await this.unload({ executable });
      throw error;
    }
  }

  async run({ executable, run }: Arguments<'run'>): Promise<Result<'run'>> {
    const { outputs } = this.#session(executable).program;
    // Memory of our own for the outputs that go to the caller: it can be moved to the other thread, ONNX Runtime's not.
    const fresh = outputs.map((spec, i) => (run.outputs[i] ? null : newArray(spec.dtype, elementCount(spec.shape))));
    await this.#execute(
      executable,
      run,
      outputs.map((spec, i) => fresh[i] ?? this.#view(run.outputs[i]!, spec)),
    );
    return fresh;
  }

  async runEach({ executable, runs }: Arguments<'runEach'>): Promise<void> {
    const { outputs } = this.#session(executable).program;
    for (const run of runs) {
      if (this.#interrupted) throw interrupted();
      await this.#execute(
        executable,
        run,
        outputs.map((spec, i) => run.outputs[i] && this.#view(run.outputs[i], spec)),
      );
    }
  }

  /** Runs a session; `targets` are the memory of the outputs that are wanted, by position. */
  async #execute(executable: number, run: WireRun, targets: readonly (TensorData | null)[]): Promise<void> {
    const { program, session } = this.#session(executable);
    const runtime = this.#ready();
    const inputs = program.inputs.map((spec, i) => {
      const binding = run.inputs[i]!;
      return ArrayBuffer.isView(binding) ? binding : this.#view(binding, spec);
    });
    if (typeof session === 'function') return session(inputs, targets);
    const feeds: Record<string, OrtTensor> = {};
    program.inputs.forEach((spec, i) => {
      const data = inputs[i]!;
      feeds[spec.name] = runtime.createTensor(spec.dtype, isAligned(data) ? data : data.slice(), spec.shape);
    });
    const fetches: Record<string, OrtTensor | null> = {};
    const landings = targets.map((target) => target && (isAligned(target) ? target : target.slice()));
    program.outputs.forEach((spec, i) => {
      const landing = landings[i];
      if (landing)
        fetches[spec.name] = runtime.writesInPlace ? runtime.createTensor(spec.dtype, landing, spec.shape) : null;
    });
    const results = await session.run(feeds, fetches, { logSeverityLevel: 4 }).catch((error) => {
      throw runFailed(program, runtime.name, error);
    });
    program.outputs.forEach((spec, i) => {
      const source = runtime.writesInPlace ? landings[i] : (results[spec.name]?.data as TensorData | undefined);
      if (source && source !== targets[i]) targets[i]?.set(source as Float32Array);
    });
  }

  async unload({ executable }: Arguments<'unload'>): Promise<void> {
    const { session } = this.#session(executable);
    this.#sessions.delete(executable);
    if (typeof session !== 'function') await session.release();
  }

  allocate({ buffer, dtype, elements }: Arguments<'allocate'>): void {
    try {
      this.#buffers.set(buffer, newArray(dtype, elements));
    } catch (cause) {
      throw outOfMemory({ bytes: 4 * elements }, cause);
    }
  }

  write({ buffer, offset, data }: Arguments<'write'>): void {
    this.#buffer(buffer).set(data as Float32Array, offset);
  }

  read({ buffer, offset, length }: Arguments<'read'>): TensorData {
    return this.#buffer(buffer).slice(offset, offset + length);
  }

  digest({ buffer }: Arguments<'digest'>): Result<'digest'> {
    return sha256(bytesOf(this.#buffer(buffer)));
  }

  free({ buffer }: Arguments<'free'>): void {
    // Gives the memory back now, not at the next garbage collection.
    (this.#buffer(buffer).buffer as ArrayBuffer).transfer(0);
    this.#buffers.delete(buffer);
  }

  async close(): Promise<void> {
    for (const buffer of [...this.#buffers.keys()]) this.free({ buffer });
    for (const executable of [...this.#sessions.keys()]) await this.unload({ executable });
  }

  #ready(): Runtime {
    assert(this.#runtime, 'open comes before everything else');
    return this.#runtime;
  }

  #session(executable: number): { program: Program; session: OrtSession | Kernel } {
    const entry = this.#sessions.get(executable);
    assert(entry, `executable ${executable} is loaded`);
    return entry;
  }

  #buffer(buffer: number): TensorData {
    const memory = this.#buffers.get(buffer);
    assert(memory, `buffer ${buffer} is allocated`);
    return memory;
  }

  #view({ buffer, offset }: WireView, spec: TensorSpec): TensorData {
    return this.#buffer(buffer).subarray(offset, offset + elementCount(spec.shape));
  }
}

/** Zeros. */
export function newArray(dtype: DType, elements: number): TensorData {
  return dtype === 'float32' ? new Float32Array(elements) : new Int32Array(elements);
}

/**
 * Whether ONNX Runtime may use `data` where it lies. Its vectorised sums start at the first multiple of 16 bytes, so that
 * the address decides the order of additions and with it the last bits; array buffers start at such a multiple.
 */
function isAligned(data: TensorData): boolean {
  return data.byteOffset % 16 === 0;
}

/** Throws `program-invalid` unless the program's bytes are those its id names. */
export function checkBytes(program: Program): void {
  if (sha256(program.bytes) !== program.id) throw invalidProgram(program, 'its bytes are not those its id names');
}

/** Throws `program-invalid` unless the program says of its inputs and outputs what ONNX Runtime found in its bytes. */
export function checkInterface(program: Program, session: OrtSession): void {
  const listed = (specs: readonly TensorSpec[]) => specs.map((spec) => spec.name).join(', ');
  if (listed(program.inputs) !== session.inputNames.join(', '))
    throw invalidProgram(program, `its inputs are ${session.inputNames.join(', ')}, not ${listed(program.inputs)}`);
  if (listed(program.outputs) !== session.outputNames.join(', '))
    throw invalidProgram(program, `its outputs are ${session.outputNames.join(', ')}, not ${listed(program.outputs)}`);
}

export function invalidProgram(program: Program, reason: string): WorldError {
  return new WorldError('program-invalid', 'The engine cannot load this program.', {
    facts: { program: program.id, reason: firstLine(reason) },
    help: 'Rebuild the program from its model config, or fetch it again.',
  });
}

/** A run that ONNX Runtime refused or broke off. */
export function runFailed(program: Program, engine: string, error: unknown): WorldError {
  return new WorldError('engine-run', 'The engine could not run this program on these inputs.', {
    facts: { program: program.id, engine, reason: firstLine(messageOf(error)) },
    help: 'Check the input values (token ids below the vocabulary) and the free memory of this machine.',
  });
}

export function outOfMemory(facts: Record<string, string | number>, cause?: unknown): WorldError {
  return new WorldError('engine-memory', 'There is not enough memory for this buffer.', {
    facts,
    help: 'Close other programs, or choose a smaller preset.',
    cause,
  });
}

export function interrupted(): WorldError {
  return new WorldError('engine-closed', 'The engine was closed in the middle of a batch.');
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function firstLine(text: string): string {
  return text.split('\n', 1)[0]!.slice(0, 300);
}
