/** Where the time of a program goes on `native`, operator by operator, by ONNX Runtime's own profiler. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert } from '@folkmoot/core';
import type { TensorData } from '../engine.ts';
import type { Program } from '../program.ts';
import { nativeOptions } from './native-options.node.ts';

export interface OperatorTime {
  /** ONNX Runtime's name: `Gemm`, `MatMul`. */
  readonly operator: string;
  /** Of one run. */
  readonly calls: number;
  /** Milliseconds in one run. */
  readonly ms: number;
  /** Floating point operations of one run; 0 for all but matrix products. */
  readonly flops: number;
}

export interface ProfileOptions {
  /** Threads of one operator. */
  readonly threads: number;
  /** Runs that are averaged, after one that is not counted. */
  readonly runs: number;
}

/** An event of the profiler's file, as far as it is needed here; times in microseconds. */
interface ProfilerEvent {
  readonly cat: string;
  readonly name: string;
  readonly ts: number;
  readonly dur: number;
  readonly args: { readonly op_name: string; readonly input_type_shape: Shapes; readonly output_type_shape: Shapes };
}
type Shapes = readonly Readonly<Record<string, readonly number[]>>[];

/** Times of all operators of `program` on `inputs` (every input by name), longest first. Blocks this thread. */
export async function profileProgram(
  program: Program,
  inputs: Readonly<Record<string, TensorData>>,
  { threads, runs }: ProfileOptions,
): Promise<OperatorTime[]> {
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const folder = await mkdtemp(join(tmpdir(), 'folkmoot-profile-'));
  try {
    const profiling = { enableProfiling: true, profileFilePrefix: join(folder, 'run') };
    const session = await InferenceSession.create(program.bytes, { ...nativeOptions(threads), ...profiling });
    const feeds = program.inputs.map(({ name, dtype, shape }) => [name, new Tensor(dtype, inputs[name]!, shape)]);
    for (let run = 0; run <= runs; run++) await session.run(Object.fromEntries(feeds));
    session.endProfiling();
    await session.release();
    const [file] = await readdir(folder);
    return summarize(JSON.parse(await readFile(join(folder, file!), 'utf8')), runs);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function summarize(events: readonly ProfilerEvent[], runs: number): OperatorTime[] {
  const [, second] = events.filter(({ name }) => name === 'model_run').sort((a, b) => a.ts - b.ts);
  assert(second, 'the profiler saw the runs');
  const times = new Map<string, { calls: number; ms: number; flops: number }>();
  for (const { cat, name, ts, dur, args } of events) {
    if (cat !== 'Node' || !name.endsWith('_kernel_time') || ts < second.ts) continue;
    const time = times.get(args.op_name) ?? { calls: 0, ms: 0, flops: 0 };
    const flops = /^(Fused)?(Gemm|MatMul)$/.test(args.op_name) ? flopsOf(args) : 0;
    times.set(args.op_name, { calls: time.calls + 1, ms: time.ms + dur / 1000, flops: time.flops + flops });
  }
  return [...times]
    .map(([operator, { calls, ms, flops }]) => ({ operator, calls: calls / runs, ms: ms / runs, flops: flops / runs }))
    .sort((a, b) => b.ms - a.ms);
}

/**
 * Of `[B.., m, k] · [B.., k, n]`, either transposed or not: with a, b and c the numbers of elements of both and of the
 * result, a·b·c = B³(mkn)², and a product costs 2·B·mkn operations.
 */
function flopsOf({ input_type_shape: inputs, output_type_shape: outputs }: ProfilerEvent['args']): number {
  const [a, b, c] = [inputs[0]!, inputs[1]!, outputs[0]!].map((tensor) => Object.values(tensor)[0]!);
  const elements = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);
  const batch = elements(c!.slice(0, -2));
  return 2 * Math.sqrt((elements(a!) * elements(b!) * elements(c!)) / batch);
}
