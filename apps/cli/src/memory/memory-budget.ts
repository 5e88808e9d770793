/** What a member may use of this machine's memory, and on which kind of engine. */
import type { MemoryBudget } from '@folkmoot/node';
import type { EngineKind } from '@folkmoot/tensor';
import { likelyEngine } from '@folkmoot/tensor/node';
import { availableMemory } from './available-memory.ts';

/** `run`: the charter's kind. What the user has said goes before what is there. */
export async function memoryBudget(
  run: EngineKind,
  { engine, memoryBytes }: { readonly engine?: EngineKind; readonly memoryBytes?: number } = {},
): Promise<MemoryBudget> {
  return {
    engine: await likelyEngine(run, engine),
    availableBytes: memoryBytes ?? (await availableMemory()),
  };
}
