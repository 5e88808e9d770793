/** The part of an engine that its user holds: an `Engine` whose work happens at the other end of a channel. */
import { assert, type Hash, isWorldError, WorldError } from '@folkmoot/core';
import type { Bindings, DeviceBuffer, Engine, EngineKind, EngineMemory, Executable, TensorData } from '../engine.ts';
import type { DType, Program } from '../program.ts';
import { dataType, orderBindings } from './bindings.ts';
import { readElementwise } from './elementwise.ts';
import {
  type Arguments,
  type DeviceOptions,
  errorFromWire,
  type Operation,
  type Reply,
  type Request,
  type Result,
  transferable,
  type WireRun,
} from './worker-protocol.ts';

/** The main thread's end of the wire to one worker. */
export interface EngineChannel {
  post(request: Request, transfer: ArrayBuffer[]): void;
  onReply(handler: (reply: Reply) => void): void;
  /** Called once when the worker ends, for whatever reason. */
  onEnd(handler: (reason: string) => void): void;
  /** Whether waiting for this worker should keep the process alive. */
  keepAlive(alive: boolean): void;
  terminate(): Promise<void>;
}

/** Opens the engine behind `channel`; `device` for `webgpu`. On failure the worker is terminated. */
export async function openEngine(
  kind: EngineKind,
  threads: number,
  channel: EngineChannel,
  device?: DeviceOptions,
): Promise<Engine> {
  const connection = new Connection(channel);
  try {
    const { name, memory } = await connection.call('open', { threads, device });
    assert(/^[ -~]{1,64}$/.test(name), 'an engine name is 1 to 64 printable characters');
    return new RemoteEngine(kind, name, threads, memory, connection);
  } catch (error) {
    await channel.terminate();
    throw error;
  }
}

/** Numbers requests, pairs replies with them, and fails what is left when the worker ends. */
class Connection {
  readonly #channel: EngineChannel;
  readonly #pending = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  #terminating: Promise<void> | undefined;
  #nextId = 1;
  #ended: WorldError | undefined;

  constructor(channel: EngineChannel) {
    this.#channel = channel;
    channel.onReply((reply) => this.#settle(reply));
    channel.onEnd((reason) => this.#end(crashed(reason)));
    channel.keepAlive(false);
  }

  /** A number for an executable or a buffer, never used before. */
  number(): number {
    return this.#nextId++;
  }

  call<K extends Operation>(operation: K, args: Arguments<K>, moved: readonly unknown[] = []): Promise<Result<K>> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#channel.post({ id, operation, args }, transferable(moved));
      this.#pending.set(id, { resolve, reject });
      this.#channel.keepAlive(true);
    });
  }

  async close(): Promise<void> {
    // A worker that has crashed is as closed as one can be.
    const released = this.call('close', {}).catch(() => {});
    this.#ended ??= new WorldError('engine-closed', 'The engine was closed.', { help: 'Create a new engine.' });
    await released;
    await this.#terminate();
    this.#end(this.#ended);
  }

  #settle(reply: Reply): void {
    const waiting = this.#pending.get(reply.id);
    if (!waiting) return;
    this.#pending.delete(reply.id);
    if (this.#pending.size === 0) this.#channel.keepAlive(false);
    if ('value' in reply) return waiting.resolve(reply.value as never);
    const error = errorFromWire(reply.error);
    waiting.reject(error);
    // Everything in the device's memory is gone; whoever goes on starts another engine.
    if (isWorldError(error, 'engine-device-lost')) this.#abandon(error);
  }

  #abandon(error: WorldError): void {
    this.#end(error);
    this.#channel.keepAlive(false);
    void this.#terminate();
  }

  #terminate(): Promise<void> {
    this.#terminating ??= this.#channel.terminate();
    return this.#terminating;
  }

  #end(error: WorldError): void {
    this.#ended ??= error;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

class RemoteEngine implements Engine {
  readonly kind: EngineKind;
  readonly name: string;
  readonly threads: number;
  readonly memory: EngineMemory;
  readonly #connection: Connection;
  readonly #buffers = new WeakMap<DeviceBuffer, number>();
  #closing: Promise<void> | undefined;

  constructor(kind: EngineKind, name: string, threads: number, memory: EngineMemory, connection: Connection) {
    this.kind = kind;
    this.name = name;
    this.threads = threads;
    this.memory = memory;
    this.#connection = connection;
  }

  async load(program: Program): Promise<Executable> {
    const executable = this.#connection.number();
    await this.#connection.call('load', { executable, program });
    const inPlace = this.memory === 'host' && readElementwise(program) !== undefined;
    return new RemoteExecutable(program, inPlace, executable, this.#connection, (buffer) => this.#numberOf(buffer));
  }

  async allocate(dtype: DType, elements: number): Promise<DeviceBuffer> {
    if (!Number.isSafeInteger(elements) || elements < 1)
      throw new RangeError(`a buffer has at least one element, not ${elements}`);
    const number = this.#connection.number();
    await this.#connection.call('allocate', { buffer: number, dtype, elements });
    const buffer = new RemoteBuffer(dtype, elements, number, this.#connection, () => this.#buffers.delete(buffer));
    this.#buffers.set(buffer, number);
    return buffer;
  }

  close(): Promise<void> {
    this.#closing ??= this.#connection.close();
    return this.#closing;
  }

  #numberOf(buffer: DeviceBuffer): number {
    const number = this.#buffers.get(buffer);
    if (number === undefined) throw new RangeError('this buffer was freed, or belongs to another engine');
    return number;
  }
}

class RemoteExecutable implements Executable {
  readonly program: Program;
  readonly inPlace: boolean;
  readonly #number: number;
  readonly #connection: Connection;
  readonly #numberOf: (buffer: DeviceBuffer) => number;
  #freed = false;

  constructor(
    program: Program,
    inPlace: boolean,
    number: number,
    connection: Connection,
    numberOf: (buffer: DeviceBuffer) => number,
  ) {
    this.program = program;
    this.inPlace = inPlace;
    this.#number = number;
    this.#connection = connection;
    this.#numberOf = numberOf;
  }

  async run(bindings: Bindings): Promise<Record<string, TensorData>> {
    const run = this.#order(bindings);
    const values = await this.#connection.call('run', { executable: this.#number, run }, run.inputs);
    const results: Record<string, TensorData> = {};
    this.program.outputs.forEach(({ name }, i) => {
      const value = values[i];
      if (value) results[name] = value;
    });
    return results;
  }

  async runEach(batch: readonly Bindings[]): Promise<void> {
    const runs = batch.map((bindings) => this.#order(bindings));
    if (runs.some(({ outputs }) => outputs.every((output) => output === null)))
      throw new RangeError('a run of a batch binds no output, so nothing of it would remain');
    const moved = runs.flatMap(({ inputs }) => inputs);
    await this.#connection.call('runEach', { executable: this.#number, runs }, moved);
  }

  async free(): Promise<void> {
    if (this.#freed) return;
    this.#freed = true;
    await this.#connection.call('unload', { executable: this.#number });
  }

  #order(bindings: Bindings): WireRun {
    if (this.#freed) throw new RangeError('this executable was freed');
    return orderBindings(this, bindings, this.#numberOf);
  }
}

class RemoteBuffer implements DeviceBuffer {
  readonly dtype: DType;
  readonly elements: number;
  readonly #number: number;
  readonly #connection: Connection;
  readonly #forget: () => void;
  #freed = false;

  constructor(dtype: DType, elements: number, number: number, connection: Connection, forget: () => void) {
    this.dtype = dtype;
    this.elements = elements;
    this.#number = number;
    this.#connection = connection;
    this.#forget = forget;
  }

  async write(data: TensorData, offset = 0): Promise<void> {
    if (dataType(data) !== this.dtype) throw new RangeError(`the buffer is ${this.dtype}, not ${dataType(data)}`);
    this.#check(offset, data.length);
    // A copy that can be moved: the caller keeps its array, and a view does not drag its whole buffer along.
    const copy = data.slice();
    await this.#connection.call('write', { buffer: this.#number, offset, data: copy }, [copy]);
  }

  async read(offset = 0, length = this.elements - offset): Promise<TensorData> {
    this.#check(offset, length);
    return this.#connection.call('read', { buffer: this.#number, offset, length });
  }

  async digest(): Promise<Hash> {
    this.#check(0, this.elements);
    return this.#connection.call('digest', { buffer: this.#number });
  }

  async free(): Promise<void> {
    if (this.#freed) return;
    this.#freed = true;
    this.#forget();
    await this.#connection.call('free', { buffer: this.#number });
  }

  #check(offset: number, length: number): void {
    if (this.#freed) throw new RangeError('this buffer was freed');
    const inside = Number.isInteger(offset) && Number.isInteger(length) && offset >= 0 && length >= 0;
    if (!inside || offset + length > this.elements)
      throw new RangeError(`${length} elements at ${offset} are not inside a buffer of ${this.elements}`);
  }
}

function crashed(reason: string): WorldError {
  return new WorldError('engine-crashed', 'The engine stopped working.', {
    facts: { reason },
    help: 'Start again; if it happens again, free some memory or try the other engine.',
  });
}
