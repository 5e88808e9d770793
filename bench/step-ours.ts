/**
 * One engine's training steps, for `step.ts`: a process of its own, so that its peak memory is its own.
 *
 * Usage: step-ours.ts ENGINE THREADS PRESET ROWS. Says `ready`, then answers each line from standard input with the
 * milliseconds of one inner step (forward, backward, clipping, AdamW), and the end with `peak` and kilobytes.
 */
import { createInterface } from 'node:readline';
import {
  ADAMW,
  gradientName,
  initialParameters,
  PRESETS,
  type PresetName,
  parameterLayout,
  trainProgram,
} from '@folkmoot/model';
import type { EngineKind } from '@folkmoot/tensor';
import { createEngine } from '@folkmoot/tensor/node';
import { InnerOptimizer, parameterViews } from '@folkmoot/training';
import { stepTokens } from './step-tokens.ts';

const [kind, threads, preset, rows] = process.argv.slice(2) as [EngineKind, string, PresetName, string];
const model = PRESETS[preset];
const layout = parameterLayout(model);
const engine = await createEngine(kind, { threads: Number(threads) });
const train = await engine.load(trainProgram(model, Number(rows)));
const optimizer = await InnerOptimizer.create(engine, { ...ADAMW, warmupSteps: 10, joinerWarmupSteps: 10 }, layout);
await optimizer.arenas.params.write(initialParameters(model, '5eed'.repeat(16)));
const batch = stepTokens(model, Number(rows));
// Whoever asked is gone.
process.stdout.on('error', () => process.exit(1));
console.log('ready', kind);

let count = 0;
for await (const _ of createInterface({ input: process.stdin })) {
  const start = performance.now();
  await train.run({
    ...parameterViews(layout, optimizer.arenas.params),
    ...parameterViews(layout, optimizer.gradient, gradientName),
    ...batch,
  });
  await optimizer.step(count, count++);
  console.log(performance.now() - start);
}
console.log('peak', process.resourceUsage().maxRSS);
await engine.close();
