/** How a member spends its memory, or why it cannot take part: said with both numbers before anything is started. */
import { formatBytes, WorldError } from '@folkmoot/core';
import type { PresetName } from '@folkmoot/model';
import type { EngineKind, MemoryPlan } from '@folkmoot/tensor';
import { type MemoryNeed, type MemoryQuestion, memoryNeed, WASM_BYTES } from './memory-need.ts';
import { RUN_PRESETS } from './presets.ts';

export interface MemoryBudget {
  readonly engine: EngineKind;
  readonly availableBytes: number;
  /** Members that share it; default 1. */
  readonly members?: number;
}

/**
 * The plan of a member of a run with `rules`: `plain`, which is faster, where it fits, else `recompute`.
 *
 * Members of one run may choose differently, since both give the same bits. Throws `memory-too-small`. `open`: whether the
 * rules can still be changed, which makes another advice.
 */
export function memoryPlan(rules: MemoryQuestion['rules'], budget: MemoryBudget, open = false): MemoryPlan {
  const needs = needsOf(rules, budget.engine);
  const chosen = needs.find(({ need }) => fits(need, budget));
  if (chosen) return chosen.plan;
  // A model of one block may have nothing to gain from recomputation.
  const least = needs.reduce((a, b) => (b.need.total < a.need.total ? b : a));
  throw refuseMemory(least.need, budget, open ? advice(rules, budget) : JOINER_ADVICE);
}

function needsOf(rules: MemoryQuestion['rules'], engine: EngineKind): { plan: MemoryPlan; need: MemoryNeed }[] {
  const plans = ['plain', 'recompute'] as const;
  return plans.map((plan) => ({ plan, need: memoryNeed({ rules, engine, plan }) }));
}

/** The refusal with both numbers. */
function refuseMemory(
  need: MemoryNeed,
  { engine, availableBytes, members = 1 }: MemoryBudget,
  help: string,
): WorldError {
  const overWasm = engine === 'exact' && need.device > WASM_BYTES;
  const [needed, there] = overWasm ? [need.device, WASM_BYTES] : [members * need.total, availableBytes];
  const who = members === 1 ? 'A member of this run needs' : `${members} members of this run need`;
  const what = overWasm ? 'of WebAssembly memory, which ends at' : 'of memory;';
  return new WorldError(
    'memory-too-small',
    `${who} ${formatBytes(needed)} ${what} ${formatBytes(there)} ${overWasm ? '' : 'can be used'}`
      .trimEnd()
      .concat('.'),
    {
      facts: {
        needsBytes: Math.ceil(needed),
        availableBytes: Math.floor(there),
        engine,
        parts: `${formatBytes(need.arenas)} for parameters and optimizer, ${formatBytes(need.step)} for a step, ${formatBytes(need.round)} for a round, ${formatBytes(need.idle)} for the program`,
      },
      help,
    },
  );
}

const JOINER_ADVICE =
  'Close other programs, or join from a machine with more memory. --memory SIZE says how much may be used.';

function fits(need: MemoryNeed, { engine, availableBytes, members = 1 }: MemoryBudget): boolean {
  return members * need.total <= availableBytes && (engine !== 'exact' || need.device <= WASM_BYTES);
}

/** What would fit: smaller micro-batches, else a smaller preset. */
function advice(rules: MemoryQuestion['rules'], budget: MemoryBudget): string {
  const wouldFit = (changed: MemoryQuestion['rules']) =>
    needsOf(changed, budget.engine).some(({ need }) => fits(need, budget));
  for (let microRows = Math.floor((rules.microRows ?? rules.batchRows) / 2); microRows >= 1; microRows--)
    if (rules.batchRows % microRows === 0 && wouldFit({ ...rules, microRows }))
      return `Add --micro-rows ${microRows}, which has fewer rows in memory at once, or close other programs.`;
  const names = (Object.keys(RUN_PRESETS) as PresetName[]).reverse();
  const preset = names.find((name) => wouldFit(RUN_PRESETS[name]));
  return preset
    ? `Recomputation and micro-batches do not save enough. Choose a smaller model, such as --preset ${preset}, or close other programs.`
    : 'Close other programs. --memory SIZE says how much may be used.';
}
