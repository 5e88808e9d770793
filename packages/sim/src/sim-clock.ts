/** Virtual time: nothing happens between two events, and the same schedule always happens in the same order. */
import { assert, type Clock } from '@folkmoot/core';

interface Event {
  readonly atMs: number;
  readonly order: number;
  action: (() => void) | undefined;
}

/** 2026-01-01T00:00:00Z: simulated logs read like real ones. */
export const SIM_START_MS = 1_767_225_600_000;

/**
 * A clock that stands still until it is driven.
 *
 * Events at one moment happen in the order in which they were scheduled. After each of them everything that waits on a
 * promise runs to its next wait before time moves, so the order of events depends on nothing but the schedule.
 */
export class SimClock implements Clock {
  #nowMs: number;
  #order = 0;
  #driving = false;
  #outside: Promise<unknown> = Promise.resolve();
  #outsideCount = 0;
  readonly #events: Event[] = [];

  constructor(startMs: number = SIM_START_MS) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = this.schedule(durationMs, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Calls `action` after `delayMs` (at least 0) of virtual time; returns a function that calls it off. */
  schedule(delayMs: number, action: () => void): () => void {
    const event: Event = { atMs: this.#nowMs + Math.max(0, Math.round(delayMs)), order: this.#order++, action };
    pushEvent(this.#events, event);
    return () => {
      event.action = undefined;
    };
  }

  /**
   * Lets real work (a worker thread, a file) take part: virtual time stands still until it ends.
   *
   * Several at once end in the order in which they began, whatever their real speed, so traces stay the same.
   */
  outside<T>(work: Promise<T>): Promise<T> {
    this.#outsideCount++;
    const turn = this.#outside.then(() => work).finally(() => this.#outsideCount--);
    this.#outside = turn.catch(() => undefined);
    return turn;
  }

  /** Lets everything happen up to and including `untilMs`, then stands there. */
  async run(untilMs: number): Promise<void> {
    await this.#drive(async () => {
      do await this.#settle();
      while (this.#fireNext(untilMs));
      this.#nowMs = Math.max(this.#nowMs, untilMs);
    });
  }

  /** Lets things happen until `isDone` holds; `false` where it still does not at `limitMs` or nothing is left to happen. */
  runUntil(isDone: () => boolean, limitMs: number): Promise<boolean> {
    return this.#drive(async () => {
      for (;;) {
        await this.#settle();
        if (isDone()) return true;
        if (!this.#fireNext(limitMs)) return false;
      }
    });
  }

  /** Lets things happen until `task` ends, and gives its outcome. Throws where it waits for what can never happen. */
  async drive<T>(task: Promise<T>, limitMs: number = this.#nowMs + 365 * 86_400_000): Promise<T> {
    let ended = false;
    const note = () => {
      ended = true;
    };
    task.then(note, note);
    if (!(await this.runUntil(() => ended, limitMs)))
      throw new Error('the simulation stands still: the task waits for something that cannot happen');
    return task;
  }

  async #drive<T>(loop: () => Promise<T>): Promise<T> {
    assert(!this.#driving, 'a simulated clock has one driver at a time');
    this.#driving = true;
    try {
      return await loop();
    } finally {
      this.#driving = false;
    }
  }

  /** Moves to the next event up to `limitMs` and begins it; `false` where there is none. */
  #fireNext(limitMs: number): boolean {
    while (this.#events.length > 0 && this.#events[0]!.atMs <= limitMs) {
      const { atMs, action } = popEvent(this.#events);
      if (!action) continue;
      this.#nowMs = atMs;
      action();
      return true;
    }
    return false;
  }

  /** A macrotask begins only when no promise has anything left to run; then outside work is waited for. */
  async #settle(): Promise<void> {
    await nextMacrotask();
    while (this.#outsideCount > 0) {
      await this.#outside;
      await nextMacrotask();
    }
  }
}

function nextMacrotask(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** A binary heap: the earliest event is at index 0. */
function pushEvent(heap: Event[], event: Event): void {
  let at = heap.length;
  heap.push(event);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!isBefore(event, heap[parent]!)) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = event;
}

/** Takes the earliest event out of a heap that is not empty. */
function popEvent(heap: Event[]): Event {
  const first = heap[0]!;
  const last = heap.pop()!;
  if (heap.length > 0) sinkFromTop(heap, last);
  return first;
}

function sinkFromTop(heap: Event[], event: Event): void {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
    if (!isBefore(heap[child]!, event)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = event;
}
