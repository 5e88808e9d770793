/** How many threads an engine gets. */
import type { EngineKind } from '../engine.ts';

export interface EngineOptions {
  /** Threads that one operator may use, from 1; `MAX_THREADS` at most are used. Default: one for each processor. */
  readonly threads?: number;
  /** `webgpu` only: takes a software adapter where there is no GPU. For tests: it is slower than `native`. */
  readonly softwareGpu?: boolean;
  /** `webgpu` only: refuses a program of which a part would run on the processor, data going forth and back. */
  readonly gpuOnly?: boolean;
}

/**
 * Above 16 threads ONNX Runtime blocks its matrix products otherwise, and the last bits are others: not on `exact`. The
 * processor's part of `webgpu` is to hand out work.
 */
const MAX_THREADS: Readonly<Record<EngineKind, number>> = { native: 64, exact: 16, webgpu: 1 };

/** What is asked for, or one for each of this machine's `processors`; never more than bits allow. Throws `RangeError`. */
export function threadsFor(kind: EngineKind, { threads }: EngineOptions, processors: number): number {
  const most = MAX_THREADS[kind];
  const chosen = Math.min(most, threads ?? processors);
  if (!Number.isInteger(chosen) || chosen < 1)
    throw new RangeError(`threads must be from 1 to ${most}, not ${threads}`);
  return chosen;
}
