/** One run of a simulated process: from its start to its end or its crash. */
import type { Clock } from '@folkmoot/core';
import type { SimClock } from './sim-clock.ts';

const MILLION = 1_000_000;

/** How a machine's clock differs from true time. */
export interface Skew {
  /** Milliseconds that it is ahead. */
  offsetMs: number;
  /** Parts per million that it is fast. */
  fastPpm: number;
}

/**
 * What was awaited when a life ended never settles, so the code of a crashed process stops where it waits, as SIGKILL
 * would stop it; its `finally` blocks do not run. While a life is paused nothing settles either, as after SIGSTOP.
 */
export class Life {
  #over = false;
  #paused = false;
  readonly #held: (() => void)[] = [];
  #fuse: { awaits: number; readonly blow: () => void } | undefined;

  get over(): boolean {
    return this.#over;
  }

  end(): void {
    this.#over = true;
  }

  /** Stops the process where it waits; what arrives meanwhile is taken at `resume`. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    for (const action of this.#held.splice(0)) this.whenAwake(action);
  }

  /** Calls `blow` when the process begins to wait for the world for the `awaits`-th time from now on. */
  lightFuse(awaits: number, blow: () => void): void {
    this.#fuse = { awaits, blow };
  }

  putOutFuse(): void {
    this.#fuse = undefined;
  }

  /** Runs `action` as part of this process: now, or when it is no longer paused; never after its end. */
  whenAwake(action: () => void): void {
    if (this.#over) return;
    if (this.#paused) this.#held.push(action);
    else action();
  }

  /** `work`, as long as this life lasts. */
  guard<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      work.then(
        (value) => this.whenAwake(() => resolve(value)),
        (error) => this.whenAwake(() => reject(error)),
      );
    });
  }

  /** Begins `work`, unless this life is over. */
  attempt<T>(work: () => Promise<T>): Promise<T> {
    if (this.#over) return new Promise<T>(() => undefined);
    const running = this.guard(work());
    // After the beginning: a write is under way, a message on its way.
    if (this.#fuse && --this.#fuse.awaits <= 0) this.#blow();
    return running;
  }

  /** The clock as this life sees it. */
  clock(clock: SimClock, skew: Skew = { offsetMs: 0, fastPpm: 0 }): Clock {
    const startMs = clock.now();
    return {
      now: () => {
        const trueMs = clock.now();
        return trueMs + skew.offsetMs + Math.floor(((trueMs - startMs) * skew.fastPpm) / MILLION);
      },
      sleep: (durationMs, signal) => {
        const trueMs = Math.ceil((durationMs * MILLION) / (MILLION + skew.fastPpm));
        return this.attempt(() => clock.sleep(trueMs, signal));
      },
    };
  }

  #blow(): void {
    const { blow } = this.#fuse!;
    this.#fuse = undefined;
    blow();
  }
}
