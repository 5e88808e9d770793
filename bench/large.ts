/**
 * Larger models and longer contexts: a member's work on one round, in a process of its own; memory as the formula says it
 * and as it was at most, time, loss.
 */
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ADAMW, type ModelConfig, parameterLayout } from '@folkmoot/model';
import { exchangeRules, memoryNeed, RUN_PRESETS, type RunRules } from '@folkmoot/node';
import type { MemoryPlan } from '@folkmoot/tensor';
import { type BenchOptions, type Figure, partsOf } from './bench.ts';

const CHILD = fileURLToPath(new URL('large-work.ts', import.meta.url));
const { small } = RUN_PRESETS;

interface Part {
  readonly name: string;
  readonly rules: RunRules;
  readonly plan: MemoryPlan;
}

const rulesOf = (model: ModelConfig, batchRows: number, microRows: number | undefined, steps: number): RunRules => ({
  ...{ ...small, ...exchangeRules('sparse'), model, batchRows, stepsPerRound: steps, stepsPerSegment: steps },
  ...(microRows !== undefined && { microRows }),
  optimizer: { ...ADAMW, learningRate: '0.0006', warmupSteps: 3, joinerWarmupSteps: 1 },
});

/** GPT-2's small sizes with SwiGLU: 124M parameters. */
const GPT2: ModelConfig = {
  ...{ vocab: 50_304, hidden: 768, layers: 12, heads: 12, kvHeads: 12, feedForward: 2048, context: 1024 },
  ...{ ropeTheta: 10_000, normEpsilon: '0.00001', tied: true },
};

const PARTS: readonly Part[] = [
  ...[1024, 2048, 4096].flatMap((context) =>
    (['plain', 'recompute'] as const).map((plan) => ({
      name: `${context / 1024}k tokens, ${plan}`,
      rules: rulesOf({ ...small.model, vocab: 2048, context }, 1, undefined, 2),
      plan,
    })),
  ),
  { name: '124M', rules: rulesOf(GPT2, 2, 1, 3), plan: 'recompute' },
];

export async function* run(signal: AbortSignal, { only }: BenchOptions = {}): AsyncIterable<Figure> {
  const chosen = partsOf(only, [...new Set(PARTS.map(sizeOf))]);
  for (const part of PARTS) if (chosen.includes(sizeOf(part))) yield* measure(part, signal);
}

/** What `--only` names: `1k`, `124M`. */
function sizeOf({ name }: Part): string {
  return name.split(' ')[0]!;
}

interface Result {
  readonly idleBytes: number;
  readonly peakBytes: number;
  readonly losses: readonly number[];
  readonly holdoutLoss: number;
  readonly ms: number;
  readonly cpuMs: number;
}

async function* measure({ name, rules, plan }: Part, signal: AbortSignal): AsyncIterable<Figure> {
  const args = [...process.execArgv, CHILD, JSON.stringify(rules), plan, String(Math.min(2, availableParallelism()))];
  const { stdout } = await promisify(execFile)(process.execPath, args, { signal });
  const result = JSON.parse(stdout) as Result;
  const need = memoryNeed({ rules, engine: 'native', plan });
  const [said, found] = [need.total - need.idle, result.peakBytes - result.idleBytes];
  const rows = rules.microRows === undefined ? `${rules.batchRows}` : `${rules.batchRows} (${rules.microRows} at once)`;
  yield {
    name: `${name}: memory`,
    value: found / 1e6,
    unit: 'MB',
    note: `beyond the idle process; said ${(said / 1e6).toFixed(0)}, ${(said / found).toFixed(2)} of it; ${parameterLayout(rules.model).elements.toLocaleString('en-US')} parameters, ${rows} rows`,
  };
  yield {
    name: `${name}: a step`,
    value: result.ms / result.losses.length / 1000,
    unit: 's',
    note: `${(result.cpuMs / result.losses.length / 1000).toFixed(1)} s of processor time; losses ${result.losses.map((loss) => loss.toFixed(3)).join(', ')}; then on the hold-out ${result.holdoutLoss.toFixed(3)}`,
  };
}
