/** Moving data between tensors of a device: with programs, since ONNX Runtime offers nothing else on every platform. */
import { compile } from '../compile.ts';
import { Graph, type Shape, type Value } from '../graph.ts';
import { reshape, slice } from '../operators.ts';
import type { Program } from '../program.ts';
import { elementCount } from './bindings.ts';
import type { DeviceTensor } from './device-memory.ts';
import { type DeviceRuntime, type GpuTensor, type Location, onDevice } from './device-runtime.ts';
import { type OrtSession, type OrtTensor, runFailed } from './host.ts';

/** A float32 tensor on the device, and the elements it has as a flat one. */
export class Held implements DeviceTensor {
  readonly tensor: GpuTensor;
  readonly elements: number;

  constructor(tensor: GpuTensor, elements: number) {
    this.tensor = tensor;
    this.elements = elements;
  }

  release(): void {
    this.tensor.dispose();
  }
}

/** What a copy makes: a tensor of `shape` that shows `stretches`, one after the other. */
export interface CopyTarget<T> {
  readonly shape: Shape;
  readonly stretches: readonly { readonly tensor: T | undefined; readonly skip: number; readonly length: number }[];
}

/** Copying programs that stay ready. A local round needs six; where a run has more kinds of views, the oldest goes. */
const KEPT = 64;

export class DeviceCopies {
  readonly #runtime: DeviceRuntime;
  /** In order of last use. */
  readonly #ready = new Map<string, { program: Program; session: OrtSession }>();

  constructor(runtime: DeviceRuntime) {
    this.#runtime = runtime;
  }

  /** Makes all of `targets` in one run. Results on the device are the caller's to give back. */
  async make(targets: readonly CopyTarget<Held>[], location: Location): Promise<OrtTensor[]> {
    const sources = [...new Set(targets.flatMap(({ stretches }) => stretches.flatMap(({ tensor }) => tensor ?? [])))];
    const numbered = targets.map(({ shape, stretches }) => ({
      shape,
      stretches: stretches.map((stretch) => ({
        ...stretch,
        tensor: stretch.tensor && sources.indexOf(stretch.tensor),
      })),
    }));
    const tensors = sources.map(({ tensor, elements }) => this.#runtime.reshape(tensor, [elements]));
    return this.#run(
      tensors,
      sources.map(({ elements }) => elements),
      numbered,
      location,
    );
  }

  async upload(data: Float32Array): Promise<Held> {
    const { length } = data;
    const target = { shape: [length], stretches: [{ tensor: 0, skip: 0, length }] };
    const source = this.#runtime.createTensor('float32', data, [length]);
    const [tensor] = await this.#run([source], [length], [target], 'gpu-buffer');
    return new Held(tensor as GpuTensor, length);
  }

  async close(): Promise<void> {
    for (const { session } of this.#ready.values()) await session.release();
    this.#ready.clear();
  }

  async #run(
    tensors: readonly OrtTensor[],
    sources: readonly number[],
    targets: readonly CopyTarget<number>[],
    location: Location,
  ): Promise<OrtTensor[]> {
    const { program, session } = await this.#session(sources, targets, location);
    const feeds = Object.fromEntries(program.inputs.map(({ name }, i) => [name, tensors[i]!]));
    const fetches = Object.fromEntries(program.outputs.map(({ name }) => [name, null]));
    const results = await onDevice(this.#runtime, session.run(feeds, fetches, { logSeverityLevel: 4 }), (error) =>
      runFailed(program, this.#runtime.name, error),
    );
    return program.outputs.map(({ name }) => results[name]!);
  }

  async #session(
    sources: readonly number[],
    targets: readonly CopyTarget<number>[],
    location: Location,
  ): Promise<{ program: Program; session: OrtSession }> {
    const key = JSON.stringify([location, sources, targets]);
    const known = this.#ready.get(key);
    this.#ready.delete(key);
    const entry = known ?? (await this.#create(copyProgram(sources, targets), location));
    this.#ready.set(key, entry);
    for (const [oldest, { session }] of this.#ready) {
      if (this.#ready.size <= KEPT) break;
      this.#ready.delete(oldest);
      await session.release();
    }
    return entry;
  }

  async #create(program: Program, location: Location): Promise<{ program: Program; session: OrtSession }> {
    const locations = Object.fromEntries(program.outputs.map(({ name }) => [name, location]));
    const session = await onDevice(this.#runtime, this.#runtime.createSession(program.bytes, locations), (error) =>
      runFailed(program, this.#runtime.name, error),
    );
    return { program, session };
  }
}

/**
 * Copies from flat inputs `from0`… float32 `[sources[i]]` to outputs `to0`…, each in its target's shape; a stretch's
 * `tensor` is the number of an input.
 */
export function copyProgram(sources: readonly number[], targets: readonly CopyTarget<number>[]): Program {
  const graph = new Graph();
  const inputs = sources.map((elements, i) => graph.input(`from${i}`, 'float32', [elements]));
  for (const [i, { shape, stretches }] of targets.entries()) {
    const parts = stretches.map((stretch) => cut(graph, inputs, stretch));
    graph.output(`to${i}`, reshape(together(graph, parts), { shape }));
  }
  return compile(graph, 'copy');
}

function cut(
  graph: Graph,
  inputs: readonly Value[],
  { tensor, skip, length }: CopyTarget<number>['stretches'][0],
): Value {
  if (tensor === undefined) return graph.node('ConstantOfShape', [graph.integers([length])], {}, 'float32', [length]);
  const input = inputs[tensor]!;
  return elementCount(input.shape) === length ? input : slice(input, { axis: 0, start: skip, end: skip + length });
}

/** One node for any number of parts: by twos, the first part would be copied once for each of the others. */
function together(graph: Graph, parts: readonly Value[]): Value {
  const [first, ...others] = parts;
  if (others.length === 0) return first!;
  const elements = parts.reduce((sum, part) => sum + part.shape[0]!, 0);
  return graph.node('Concat', parts, { axis: 0 }, 'float32', [elements]);
}
