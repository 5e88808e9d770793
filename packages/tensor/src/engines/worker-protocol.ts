/** What the main thread and an engine's worker say to each other: numbered requests, one reply each, in order. */
import { type Hash, WorldError } from '@folkmoot/core';
import type { EngineMemory, TensorData } from '../engine.ts';
import type { DType, Program } from '../program.ts';

/** A view as it travels: the buffer by number, `offset` in elements. */
export interface WireView {
  readonly buffer: number;
  readonly offset: number;
}

/** Bindings by position, as the program lists its inputs and outputs; `null` is an output that is not bound. */
export interface WireRun {
  readonly inputs: readonly (WireView | TensorData)[];
  readonly outputs: readonly (WireView | null)[];
}

/** Which device a `webgpu` engine shall take, and how. */
export interface DeviceOptions {
  /** Whether an adapter on the processor will do. */
  readonly software: boolean;
  /** Whether a program that has to run in part on the processor is refused. */
  readonly only: boolean;
  /** The adapter that there is, where the runtime cannot say so itself. */
  readonly adapter?: string;
}

/** The worker's operations. The main thread chooses the numbers of executables and buffers. */
export interface Operations {
  /** First of all: starts the runtime. */
  open(args: { threads: number; device?: DeviceOptions }): { name: string; memory: EngineMemory };
  load(args: { executable: number; program: Program }): void;
  /** The outputs that were not bound, by position; `null` for those that were. */
  run(args: { executable: number; run: WireRun }): (TensorData | null)[];
  runEach(args: { executable: number; runs: readonly WireRun[] }): void;
  unload(args: { executable: number }): void;
  allocate(args: { buffer: number; dtype: DType; elements: number }): void;
  write(args: { buffer: number; offset: number; data: TensorData }): void;
  read(args: { buffer: number; offset: number; length: number }): TensorData;
  digest(args: { buffer: number }): Hash;
  free(args: { buffer: number }): void;
  /** Last of all: releases everything. */
  close(args: Record<string, never>): void;
}

export type Operation = keyof Operations;
export type Arguments<K extends Operation> = Parameters<Operations[K]>[0];
export type Result<K extends Operation> = ReturnType<Operations[K]>;

export interface Request<K extends Operation = Operation> {
  readonly id: number;
  readonly operation: K;
  readonly args: Arguments<K>;
}

export type Reply =
  | { readonly id: number; readonly value: Result<Operation> }
  | { readonly id: number; readonly error: WireError };

/** An error without its class, which does not survive the way between threads. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly facts?: Readonly<Record<string, string | number>>;
  readonly help?: string;
}

export function errorToWire(error: unknown): WireError {
  if (error instanceof WorldError) {
    const { name, message, code, facts, help } = error;
    return { name, message, code, facts, help };
  }
  return error instanceof Error
    ? { name: error.name, message: error.message }
    : { name: 'Error', message: String(error) };
}

export function errorFromWire({ name, message, code, facts, help }: WireError): Error {
  if (code !== undefined) return new WorldError(code, message, { facts, help });
  return name === 'RangeError' ? new RangeError(message) : new Error(message);
}

/** The array buffers inside `values`, to be moved to the other thread instead of copied. */
export function transferable(values: readonly unknown[]): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const value of values)
    if (ArrayBuffer.isView(value) && value.buffer instanceof ArrayBuffer) buffers.add(value.buffer);
  return [...buffers];
}
