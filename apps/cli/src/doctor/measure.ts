/** About a second of work on one engine: how fast are matrix products, how long is a step of `tiny`? */
import { ADAMW, gradientName, initialParameters, PRESETS, parameterLayout, trainProgram } from '@folkmoot/model';
import { RUN_PRESETS } from '@folkmoot/node';
import { compile, type Engine, Graph, matrixProduct } from '@folkmoot/tensor';
import { InnerOptimizer, parameterViews } from '@folkmoot/training';
import type { Speed } from './examination.ts';

/** The shape of a feed-forward layer of `medium` on a quarter of its batch. */
const PRODUCT = { m: 512, n: 1408, k: 512 };
const MEASURE_MS = 600;

/** The fastest of what fits in the time: whatever else the machine does only ever adds. */
export async function measureSpeed(engine: Engine, signal: AbortSignal): Promise<Speed> {
  const product = await prepareProduct(engine);
  const productMs = await fastest(product, MEASURE_MS, signal);
  const step = await prepareTinyStep(engine);
  const tinyStepMs = await fastest(step, MEASURE_MS, signal);
  const { m, n, k } = PRODUCT;
  return { productGflops: (2 * m * n * k) / productMs / 1e6, tinyStepMs };
}

async function fastest(work: () => Promise<unknown>, forMs: number, signal: AbortSignal): Promise<number> {
  await work();
  let best = Number.POSITIVE_INFINITY;
  for (const end = performance.now() + forMs; performance.now() < end; ) {
    signal.throwIfAborted();
    const start = performance.now();
    await work();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

async function prepareProduct(engine: Engine): Promise<() => Promise<unknown>> {
  const { m, n, k } = PRODUCT;
  const graph = new Graph();
  const inputs = [graph.input('a', 'float32', [m, k]), graph.input('b', 'float32', [n, k])] as const;
  graph.output('c', matrixProduct(...inputs, { transB: true }));
  const executable = await engine.load(compile(graph, 'product'));
  const buffer = async (elements: number) => {
    const made = await engine.allocate('float32', elements);
    await made.write(new Float32Array(elements).fill(0.5));
    return { buffer: made, offset: 0 };
  };
  const bindings = { a: await buffer(m * k), b: await buffer(n * k), c: await buffer(m * n) };
  return () => executable.run(bindings);
}

async function prepareTinyStep(engine: Engine): Promise<() => Promise<unknown>> {
  const model = PRESETS.tiny;
  const layout = parameterLayout(model);
  const rows = RUN_PRESETS.tiny.batchRows;
  const train = await engine.load(trainProgram(model, rows));
  const optimizer = await InnerOptimizer.create(engine, ADAMW, layout);
  await optimizer.arenas.params.write(initialParameters(model, '5eed'.repeat(16)));
  const tokens = Int32Array.from({ length: rows * model.context }, (_, i) => (i * 7919) % model.vocab);
  let steps = 0;
  return async () => {
    await train.run({
      ...parameterViews(layout, optimizer.arenas.params),
      ...parameterViews(layout, optimizer.gradient, gradientName),
      tokens,
      targets: tokens,
    });
    await optimizer.step(steps, steps++);
  };
}
