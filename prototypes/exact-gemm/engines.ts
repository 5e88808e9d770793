/** The engines that are compared: gemm.c as WebAssembly and as Node addons, ONNX Runtime's two builds, PyTorch. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

/** `op(a)` is m × k, `op(b)` is k × n; `transA` where `a` lies as k × m, `transB` where `b` lies as n × k. */
export interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transA: boolean;
  readonly transB: boolean;
}

export interface GemmEngine {
  readonly name: string;
  /** Whether its bits are defined by gemm.h. */
  readonly ours: boolean;
  /** Takes the operands. `run` computes once and tells its milliseconds of processor time; `result` reads what came out. */
  prepare(product: Product, a: Float32Array, b: Float32Array): Promise<Prepared>;
  close(): Promise<void>;
}

export interface Prepared {
  run(): Promise<number>;
  result(): Float32Array;
}

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const require = createRequire(here('../../packages/tensor/package.json'));

export function addon(kind: 'sse2' | 'avx2' | 'avx512', threads: number): GemmEngine {
  type Gemm = (shape: Int32Array, a: Float32Array, b: Float32Array, c: Float32Array, threads: number) => void;
  const { gemm } = require(here(`build/gemm-${kind}.node`)) as { gemm: Gemm };
  return {
    name: `own ${kind} ×${threads}`,
    ours: true,
    async prepare(product, a, b) {
      const c = new Float32Array(product.m * product.n);
      const shape = shapeOf(product);
      return { run: async () => timed(() => gemm(shape, a, b, c, threads)), result: () => c };
    },
    async close() {},
  };
}

/** In this thread and `threads - 1` workers on shared memory, each with rows of its own. */
export async function wasm(threads: number): Promise<GemmEngine> {
  const memory = new WebAssembly.Memory({ initial: 4096, maximum: 32768, shared: true });
  const module = new WebAssembly.Module(readFileSync(here('build/gemm.wasm')));
  const control = new Int32Array(memory.buffer, CONTROL, 16);
  const workers = Array.from({ length: threads - 1 }, (_, i) => {
    const worker = new Worker(here('wasm-worker.ts'), { workerData: { memory, module, index: i + 1, threads } });
    return worker;
  });
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
  const gemm = instantiate(module, memory, 0);
  return {
    name: `own wasm ×${threads}`,
    ours: true,
    async prepare(product, a, b) {
      const floats = new Float32Array(memory.buffer);
      let next = HEAP;
      const room = (length: number) => {
        const at = next;
        next += (length * 4 + 127) & ~63;
        return at;
      };
      const at = [room(a.length), room(b.length), room(product.m * product.n)] as const;
      const scratch = room(gemm.gemm_scratch_floats() * threads);
      floats.set(a, at[0] / 4);
      floats.set(b, at[1] / 4);
      control.set([...at, ...shapeOf(product)], 0);
      control[8] = scratch;
      const run = () => {
        if (threads > 1) {
          Atomics.store(control, 10, 0);
          Atomics.add(control, 9, 1);
          Atomics.notify(control, 9);
        }
        computeShare(gemm, control, 0, threads);
        while (Atomics.load(control, 10) < threads - 1) Atomics.wait(control, 10, Atomics.load(control, 10), 1);
      };
      return {
        run: async () => timed(run),
        result: () => floats.slice(at[2] / 4, at[2] / 4 + product.m * product.n),
      };
    },
    close: async () => {
      for (const worker of workers) await worker.terminate();
    },
  };
}

/** The task of gemm.h (8 words), where scratch begins, the number of the call, how many have finished it. */
const CONTROL = 65_536;
const STACKS = 131_072;
const HEAP = 1 << 20;

export interface GemmExports {
  gemm_rows(task: number, from: number, to: number, scratch: number): void;
  gemm_scratch_floats(): number;
}

export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory, index: number): GemmExports {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  (exports.__stack_pointer as WebAssembly.Global).value = STACKS + 16_384 * (index + 1);
  return exports as unknown as GemmExports;
}

/** The rows of one thread: as many as the others', and whole tiles of four but for the last. */
export function computeShare(gemm: GemmExports, control: Int32Array, index: number, threads: number): void {
  const border = (i: number) => Math.min(control[3]!, 4 * Math.ceil((i * control[3]!) / threads / 4));
  gemm.gemm_rows(CONTROL, border(index), border(index + 1), control[8]! + 4 * index * gemm.gemm_scratch_floats());
}

/** A worker's life: a call, its share, the next call. */
export function serve(module: WebAssembly.Module, memory: WebAssembly.Memory, index: number, threads: number): void {
  const gemm = instantiate(module, memory, index);
  const control = new Int32Array(memory.buffer, CONTROL, 16);
  for (let call = 0; ; call++) {
    Atomics.wait(control, 9, call);
    computeShare(gemm, control, index, threads);
    Atomics.add(control, 10, 1);
    Atomics.notify(control, 10);
  }
}

/**
 * One `Gemm` node in ONNX Runtime, as `native` and `exact` run it; `bytesOf` makes the program.
 *
 * In one process `native` must come first: both register as `cpu`, and the first one keeps the name.
 */
export async function onnxRuntime(
  kind: 'native' | 'wasm',
  bytesOf: (product: Product) => Uint8Array,
): Promise<GemmEngine> {
  const ort = require(kind === 'native' ? 'onnxruntime-node' : 'onnxruntime-web');
  if (kind === 'wasm') ort.env.wasm.numThreads = 1;
  return {
    name: `ONNX Runtime ${kind} ×1`,
    ours: false,
    async prepare(product, a, b) {
      const { m, n, k, transA, transB } = product;
      const session = await ort.InferenceSession.create(bytesOf(product), {
        executionProviders: [kind === 'native' ? 'cpu' : 'wasm'],
        intraOpNumThreads: 1,
        logSeverityLevel: 4,
      });
      const feeds = {
        a: new ort.Tensor('float32', a, transA ? [k, m] : [m, k]),
        b: new ort.Tensor('float32', b, transB ? [n, k] : [k, n]),
      };
      let c = new Float32Array();
      return {
        run: async () => {
          const start = clockMs();
          const { c: output } = await session.run(feeds);
          const ms = clockMs() - start;
          c = output.data;
          return ms;
        },
        result: () => c,
      };
    },
    async close() {},
  };
}

/** PyTorch on one thread in a process of its own, where it is installed. */
export function torch(): GemmEngine | undefined {
  if (!existsSync('/usr/bin/python3')) return undefined;
  if (spawnSync('/usr/bin/python3', ['-c', 'import torch']).status !== 0) return undefined;
  const child = spawn('/usr/bin/python3', [here('gemm_torch.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (line: string) => {
    child.stdin.write(`${line}\n`);
    return Number((await lines.next()).value);
  };
  return {
    name: 'PyTorch ×1',
    ours: false,
    async prepare(product) {
      await ask(shapeOf(product).join(' '));
      return { run: () => ask(''), result: () => new Float32Array() };
    },
    close: async () => void child.stdin.end(),
  };
}

function shapeOf({ m, n, k, transA, transB }: Product): Int32Array {
  return Int32Array.of(m, n, k, Number(transA), Number(transB));
}

function timed(work: () => void): number {
  const start = clockMs();
  work();
  return clockMs() - start;
}

/** Processor time of this process: on one thread it leaves out what other programs take. */
function clockMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
