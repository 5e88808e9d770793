/**
 * One inner step of the `small` preset on 8 rows (forward, backward, clipping, AdamW): our engines and, where Python has
 * it, PyTorch, one step each in turn, so that a busy machine is equally unkind to all.
 */
import { spawn, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  ADAMW,
  gradientName,
  initialParameters,
  type OptimizerRules,
  PRESETS,
  parameterLayout,
  trainProgram,
} from '@folkmoot/model';
import type { EngineKind } from '@folkmoot/tensor';
import { createEngine } from '@folkmoot/tensor/node';
import { InnerOptimizer, parameterViews } from '@folkmoot/training';
import type { Figure } from './bench.ts';

const MODEL = PRESETS.small;
const ROWS = 8;
const TOKENS = ROWS * MODEL.context;
const REPEATS = 5;
const RULES: OptimizerRules = { ...ADAMW, warmupSteps: 10, joinerWarmupSteps: 10 };

interface Rival {
  readonly name: string;
  /** Milliseconds that one step took. */
  step(): Promise<number>;
  close(): Promise<void>;
}

export async function* run(signal: AbortSignal): AsyncIterable<Figure> {
  const python = ['python3', '/usr/bin/python3'].find(
    (command) => spawnSync(command, ['-c', 'import torch'], { timeout: 60_000 }).status === 0,
  );
  for (const threads of new Set([1, Math.min(2, availableParallelism())])) {
    const rivals = [await ours('native', threads), await ours('exact', threads)];
    if (python) rivals.push(await torch(python, threads));
    try {
      const medians = await race(rivals, signal);
      const torchMs = medians[2];
      for (const [i, { name }] of rivals.entries()) {
        const ms = medians[i]!;
        const ratio = torchMs && i < 2 ? `, ${(torchMs / ms).toFixed(2)} × PyTorch` : '';
        const note = `${ms.toFixed(0)} ms per step${ratio}`;
        yield {
          name: `${name}, ${threads} thread${threads > 1 ? 's' : ''}`,
          value: (TOKENS / ms) * 1000,
          unit: 'tokens/s',
          note,
        };
      }
    } finally {
      for (const rival of rivals) await rival.close();
    }
  }
}

/** Medians of alternated steps; the first of each is not counted. */
async function race(rivals: readonly Rival[], signal: AbortSignal): Promise<number[]> {
  const times = rivals.map((): number[] => []);
  for (let repeat = 0; repeat <= REPEATS; repeat++)
    for (const [i, rival] of rivals.entries()) {
      signal.throwIfAborted();
      const ms = await rival.step();
      if (repeat > 0) times[i]!.push(ms);
    }
  return times.map((list) => list.sort((a, b) => a - b)[REPEATS >> 1]!);
}

async function ours(kind: EngineKind, threads: number): Promise<Rival> {
  const engine = await createEngine(kind, { threads });
  const layout = parameterLayout(MODEL);
  const train = await engine.load(trainProgram(MODEL, ROWS));
  const optimizer = await InnerOptimizer.create(engine, RULES, layout);
  await optimizer.arenas.params.write(initialParameters(MODEL, '5eed'.repeat(16)));
  const tokens = Int32Array.from({ length: TOKENS }, (_, i) => (i * 7919) % MODEL.vocab);
  const targets = Int32Array.from({ length: TOKENS }, (_, i) => ((i + 1) * 7919) % MODEL.vocab);
  let count = 0;
  return {
    name: kind,
    async step() {
      const start = performance.now();
      await train.run({
        ...parameterViews(layout, optimizer.arenas.params),
        ...parameterViews(layout, optimizer.gradient, gradientName),
        tokens,
        targets,
      });
      await optimizer.step(count, count++);
      return performance.now() - start;
    },
    close: () => engine.close(),
  };
}

/** `step_torch.py` in its own process: a line in for each step, its milliseconds out. */
async function torch(python: string, threads: number): Promise<Rival> {
  const { vocab, hidden, layers, heads, kvHeads, feedForward, context } = MODEL;
  const shape = [threads, vocab, hidden, layers, heads, kvHeads, feedForward, context, ROWS].map(String);
  const script = fileURLToPath(new URL('step_torch.py', import.meta.url));
  const child = spawn(python, [script, ...shape], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('step_torch.py ended');
    return value;
  };
  const [, version] = (await line()).split(' ');
  return {
    name: `PyTorch ${version}`,
    async step() {
      child.stdin.write('\n');
      return Number(await line());
    },
    async close() {
      child.stdin.end();
    },
  };
}
