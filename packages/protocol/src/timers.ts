/** A binary heap of audit deadlines, as plain data. Stale timers are dropped when they come up. */
import type { State, Timer } from './state.ts';

export function addTimer(state: State, timer: Timer): void {
  const heap = state.timers;
  let at = heap.push(timer) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!isBefore(timer, heap[parent]!)) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = timer;
}

/** Removes the earliest timer that is due at `nowMs`, or returns `undefined`. */
export function takeTimer(state: State, nowMs: number): Timer | undefined {
  const heap = state.timers;
  const first = heap[0];
  if (!first || first.atMs > nowMs) return undefined;
  const last = heap.pop()!;
  if (heap.length > 0) sink(heap, last);
  return first;
}

function sink(heap: Timer[], timer: Timer): void {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
    if (!isBefore(heap[child]!, timer)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = timer;
}

// Equal times are ordered by key, so that the heap's order, and with it the state's hash, depends on the log alone.
function isBefore(a: Timer, b: Timer): boolean {
  return a.atMs !== b.atMs ? a.atMs < b.atMs : a.key < b.key;
}
