/** Every operator of a program for itself: what it gave on one engine, and what it gives on another from the same inputs. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as native from 'onnxruntime-node';
import * as web from 'onnxruntime-web';
import type { TensorData } from '../engine.ts';
import type { Program } from '../program.ts';
import { nodeProgram, type ProgramNode, type Site, takeApart, withAllOutputs } from '../rewrite.test-support.ts';
import { startExact } from './exact.ts';
import type { OrtSession, Runtime } from './host.ts';

/** A value that flows in a program; its data is float32, int32, int64 or bool. */
export interface RawTensor {
  readonly type: string;
  readonly data: ArrayLike<number>;
  readonly dims: readonly number[];
}

export type Values = ReadonlyMap<string, RawTensor>;

/** Two runtimes without the engines' threads: `native` runs the program, `exact` single nodes of it. */
export class OperatorPair {
  readonly sites: readonly Site[];
  readonly #program: Program;
  readonly #parts: ReturnType<typeof takeApart>;
  readonly #whole: native.InferenceSession;
  readonly #exact: Runtime;
  readonly #sessions = new Map<ProgramNode, Promise<OrtSession>>();

  static async create(program: Program): Promise<OperatorPair> {
    const options = { executionProviders: ['cpu'], intraOpNumThreads: 1, logSeverityLevel: 4 } as const;
    const whole = await native.InferenceSession.create(withAllOutputs(program), options);
    return new OperatorPair(program, whole, await exactRuntime());
  }

  private constructor(program: Program, whole: native.InferenceSession, exact: Runtime) {
    this.#program = program;
    this.#parts = takeApart(program);
    this.#whole = whole;
    this.#exact = exact;
    this.sites = this.#parts.sites;
  }

  /** Everything that flows when `native` runs the program on `inputs`. */
  async values(inputs: Readonly<Record<string, TensorData>>): Promise<Values> {
    const feeds: Record<string, native.Tensor> = {};
    for (const { name, dtype, shape } of this.#program.inputs)
      feeds[name] = new native.Tensor(dtype, inputs[name]! as never, shape);
    const outputs = await this.#whole.run(feeds);
    return new Map(Object.entries({ ...feeds, ...outputs })) as unknown as Values;
  }

  /** What `site`'s node gives on `exact` from the inputs that it had in `values`. */
  async recompute({ node, name }: Site, values: Values): Promise<Float32Array> {
    if (!this.#sessions.has(node))
      this.#sessions.set(node, this.#exact.createSession(nodeProgram(this.#program, this.#parts, node)));
    const session = await this.#sessions.get(node)!;
    const feeds = Object.fromEntries(
      session.inputNames.map((input) => {
        const { type, data, dims } = values.get(input)!;
        return [input, this.#exact.createTensor(type as 'float32', data as never, dims)];
      }),
    );
    const results = await session.run(feeds, { [name]: null }, { logSeverityLevel: 4 });
    return results[name]!.data as Float32Array;
  }

  async close(): Promise<void> {
    await this.#whole.release();
    for (const session of this.#sessions.values()) await (await session).release();
  }
}

let runtime: Promise<Runtime> | undefined;

function exactRuntime(): Promise<Runtime> {
  const path = fileURLToPath(import.meta.resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm'));
  runtime ??= startExact(web, readFileSync(path), 1);
  return runtime;
}
