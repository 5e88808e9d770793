/**
 * One inner step (forward, backward, clipping, AdamW) of two presets: our engines and, where Python has it, PyTorch, one
 * step each in turn, so that a busy machine is equally unkind to all; each in a process of its own, for its peak memory.
 * Then where the step's time goes: the share of matrix products and their rate, beside the rate of one large product.
 */
import { execFile, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type ModelConfig, PRESETS, parameterLayout, trainProgram } from '@folkmoot/model';
import { compile, Graph, matrixProduct } from '@folkmoot/tensor';
import { profileProgram } from '@folkmoot/tensor/node';
import { type Figure, median } from './bench.ts';
import { type Rival, startRival } from './rival.ts';
import { stepTokens } from './step-tokens.ts';

interface Shape {
  readonly preset: 'small' | 'medium';
  readonly rows: number;
  /** Counted steps. */
  readonly steps: number;
  readonly engines: readonly ('native' | 'exact')[];
}

/** Of one product on one thread, GFLOP/s: a BLAS with vector instructions does more, Debian's reference code 4. */
const SLOW_BLAS = 10;

const SHAPES: readonly Shape[] = [
  { preset: 'small', rows: 8, steps: 5, engines: ['native', 'exact'] },
  { preset: 'medium', rows: 2, steps: 3, engines: ['native'] },
];

interface Result {
  readonly name: string;
  readonly ms: number;
  readonly peakMb: number;
}

export async function* run(signal: AbortSignal): AsyncIterable<Figure> {
  const python = ['python3', '/usr/bin/python3'].find(
    (command) => spawnSync(command, ['-c', 'import torch'], { timeout: 60_000 }).status === 0,
  );
  const torchRate = python === undefined ? undefined : await torchProductRate(python, signal);
  const compared = torchRate !== undefined && torchRate > SLOW_BLAS;
  if (torchRate !== undefined) yield torchProduct(torchRate, compared);
  for (const threads of new Set([1, Math.min(2, availableParallelism())])) {
    const rate = await productRate(threads);
    yield { name: `one matrix product, ${counted(threads)}`, value: rate, unit: 'GFLOP/s', note: '1024³, native' };
    for (const shape of SHAPES) {
      yield* compare(await race(shape, threads, compared ? python : undefined, signal), shape, threads);
      signal.throwIfAborted();
      yield* shares(shape, threads, rate);
    }
  }
}

/** Medians of alternated steps; the first of each is not counted. */
async function race(shape: Shape, threads: number, python: string | undefined, signal: AbortSignal): Promise<Result[]> {
  const rivals: Rival[] = [];
  try {
    for (const engine of shape.engines) rivals.push(await ours(engine, threads, shape, signal));
    if (python) rivals.push(await torch(python, threads, shape, signal));
    const times = rivals.map((): number[] => []);
    for (let step = 0; step <= shape.steps; step++)
      for (const [i, rival] of rivals.entries()) {
        signal.throwIfAborted();
        const ms = await rival.step();
        if (step > 0) times[i]!.push(ms);
      }
    const peaks = await Promise.all(rivals.map(async ({ name, close }) => ({ name, peakMb: await close() })));
    return peaks.map((result, i) => ({ ...result, ms: median(times[i]!) }));
  } finally {
    for (const rival of rivals) rival.kill();
  }
}

function* compare(results: readonly Result[], { preset, rows }: Shape, threads: number): Iterable<Figure> {
  const native = results.find(({ name }) => name === 'native')!;
  const torch = results.find(({ name }) => name.startsWith('PyTorch'));
  for (const result of results) {
    const notes = [`${result.ms.toFixed(0)} ms per step`, `${result.peakMb.toFixed(0)} MB at most`];
    if (torch && result !== torch) notes[0] += ` (${(torch.ms / result.ms).toFixed(2)} × PyTorch's speed)`;
    if (torch && result === native) notes[1] += ` (${(native.peakMb / torch.peakMb).toFixed(2)} × PyTorch's)`;
    if (result.name === 'exact') notes.push(`${(native.ms / result.ms).toFixed(2)} × native's speed`);
    yield {
      name: `${preset}, ${result.name}, ${counted(threads)}`,
      value: (rows * PRESETS[preset].context * 1000) / result.ms,
      unit: 'tokens/s',
      note: notes.join(', '),
    };
  }
}

/** What matrix products have of the time of forward and backward pass, and how fast they are. */
async function* shares({ preset, rows }: Shape, threads: number, rate: number): AsyncIterable<Figure> {
  const model = PRESETS[preset];
  const times = await profileProgram(trainProgram(model, rows), programInputs(model, rows), { threads, runs: 2 });
  const products = times.filter(({ flops }) => flops > 0);
  const sum = (list: readonly { ms: number }[]) => list.reduce((total, { ms }) => total + ms, 0);
  const gflops = products.reduce((total, { flops }) => total + flops, 0) / 1e9;
  const productRate = gflops / (sum(products) / 1000);
  const rest = times.filter(({ flops }) => flops === 0).slice(0, 5);
  const longest = rest.map(({ operator, ms }) => `${operator} ${ms.toFixed(0)}`).join(', ');
  yield {
    name: `${preset}, products, ${counted(threads)}`,
    value: (100 * sum(products)) / sum(times),
    unit: '% of a pass',
    note: `${gflops.toFixed(1)} GFLOP at ${productRate.toFixed(0)} GFLOP/s, ${(productRate / rate).toFixed(2)} × the rate of one; then, in ms: ${longest}`,
  };
}

/** GFLOP/s of one product of 1024 × 1024 matrices in the same engine: what the machine can do. */
async function productRate(threads: number): Promise<number> {
  const [size, graph] = [1024, new Graph()];
  const [a, b] = ['a', 'b'].map((name) => graph.input(name, 'float32', [size, size]));
  graph.output('y', matrixProduct(a!, b!));
  const data = Float32Array.from({ length: size * size }, (_, i) => ((i * 7919) % 1000) / 1000);
  const [time] = await profileProgram(compile(graph, 'product'), { a: data, b: data }, { threads, runs: 30 });
  return time!.flops / time!.ms / 1e6;
}

function programInputs(model: ModelConfig, rows: number): Record<string, Float32Array | Int32Array> {
  const parameters = parameterLayout(model).tensors.map(({ name, elements }) => {
    const values = Float32Array.from({ length: elements }, (_, i) => (((i * 7919) % 2001) - 1000) / 25_000);
    return [name, values] as const;
  });
  return { ...Object.fromEntries(parameters), ...stepTokens(model, rows) };
}

function ours(
  engine: 'native' | 'exact',
  threads: number,
  { preset, rows }: Shape,
  signal: AbortSignal,
): Promise<Rival> {
  return startRival(
    process.execPath,
    [pathOf('step-ours.ts'), engine, String(threads), preset, String(rows)],
    engine,
    signal,
  );
}

function torch(python: string, threads: number, { preset, rows }: Shape, signal: AbortSignal): Promise<Rival> {
  const { vocab, hidden, layers, heads, kvHeads, feedForward, context } = PRESETS[preset];
  const sizes = [threads, vocab, hidden, layers, heads, kvHeads, feedForward, context, rows].map(String);
  return startRival(python, [pathOf('step_torch.py'), ...sizes], 'PyTorch', signal);
}

/** GFLOP/s of products of 512 × 512 matrices in PyTorch, one thread. */
async function torchProductRate(python: string, signal: AbortSignal): Promise<number> {
  const { stdout } = await promisify(execFile)(python, [pathOf('product_torch.py')], { signal }).catch((error) => {
    signal.throwIfAborted();
    throw error;
  });
  return Number(stdout);
}

function torchProduct(torchRate: number, compared: boolean): Figure {
  const advice = 'no fast BLAS is under it, so it is left out; on Debian install libopenblas0-openmp';
  return {
    name: 'one matrix product in PyTorch',
    value: torchRate,
    unit: 'GFLOP/s',
    note: compared ? '512³, by processor time' : advice,
  };
}

function pathOf(script: string): string {
  return fileURLToPath(new URL(script, import.meta.url));
}

function counted(threads: number): string {
  return `${threads} thread${threads > 1 ? 's' : ''}`;
}
