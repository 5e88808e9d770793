/** How many threads an engine gets. */
import type { EngineKind } from '../engine.ts';

export interface EngineOptions {
  /** Threads that one operator may use, from 1; `MAX_THREADS` at most are used. Default: one for each processor. */
  readonly threads?: number;
}

/** Above 16 threads ONNX Runtime blocks its matrix products otherwise, and the last bits are others: not on `exact`. */
const MAX_THREADS: Readonly<Record<EngineKind, number>> = { native: 64, exact: 16 };

/** What is asked for, or one for each of this machine's `processors`; never more than bits allow. Throws `RangeError`. */
export function threadsFor(kind: EngineKind, { threads }: EngineOptions, processors: number): number {
  const most = MAX_THREADS[kind];
  const chosen = Math.min(most, threads ?? processors);
  if (!Number.isInteger(chosen) || chosen < 1)
    throw new RangeError(`threads must be from 1 to ${most}, not ${threads}`);
  return chosen;
}
