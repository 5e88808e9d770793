/** Engines run programs. One interface, several implementations, the same program bytes. */
import type { Hash } from '@folkmoot/core';
import type { DType, Program } from './program.ts';

export type EngineKind = 'native' | 'exact' | 'webgpu';

/**
 * Where buffers are: in the memory of the engine's thread, where small runs near each other are fast, or on a device,
 * where each run costs the same start, so that few large ones are fast.
 */
export type EngineMemory = 'host' | 'device';

export type TensorData = Float32Array | Int32Array;

/**
 * Memory beside the engine (in its worker thread, or on the GPU), so that parameters and optimizer state stay put
 * between steps. Elements are 4 bytes. Zero at first.
 */
export interface DeviceBuffer {
  readonly dtype: DType;
  readonly elements: number;
  /** Copies `data` to `offset` (elements). Throws `RangeError` beyond the end. */
  write(data: TensorData, offset?: number): Promise<void>;
  /** A copy of `length` elements (default: to the end) from `offset`. */
  read(offset?: number, length?: number): Promise<TensorData>;
  /** sha-256 of the little-endian bytes of the whole buffer, computed where the memory is. */
  digest(): Promise<Hash>;
  free(): Promise<void>;
}

/** A tensor inside a buffer: its shape comes from the program that uses it. */
export interface View {
  readonly buffer: DeviceBuffer;
  /** Elements from the start of the buffer. */
  readonly offset: number;
}

/** What a program input reads (a view, or small data sent along) or a program output writes (a view). */
export type Binding = View | TensorData;

/** One run in a batch: see `Executable.run`. */
export type Bindings = Readonly<Record<string, Binding>>;

/** A program made ready by an engine. */
export interface Executable {
  readonly program: Program;
  /** Whether an output may take the very place of an input: so it is where each element is made of those beside it alone. */
  readonly inPlace: boolean;
  /**
   * Runs once. Every input must be bound, outputs may be; outputs that are not bound come back as data, in the record.
   * A view used for an output must not overlap a view used for an input of the same run, unless it is the same one and
   * `inPlace` holds. Throws `RangeError` on a binding that does not fit.
   */
  run(bindings: Bindings): Promise<Record<string, TensorData>>;
  /** Runs once for each element, in order, with one message to the engine's thread; unbound outputs are dropped. */
  runEach(batch: readonly Bindings[]): Promise<void>;
  free(): Promise<void>;
}

export interface Engine {
  readonly kind: EngineKind;
  /** For people and records, at most 64 printable characters: `native onnxruntime 1.30.0 cpu x64`. */
  readonly name: string;
  readonly threads: number;
  readonly memory: EngineMemory;
  load(program: Program): Promise<Executable>;
  allocate(dtype: DType, elements: number): Promise<DeviceBuffer>;
  close(): Promise<void>;
}
