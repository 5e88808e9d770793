/** One run of a simulated process: from its start to its end or its crash. */
import type { Clock } from '@folkmoot/core';
import type { SimClock } from './sim-clock.ts';

/**
 * What was awaited when a life ended never settles, so the code of a crashed process stops where it waits, as SIGKILL
 * would stop it; its `finally` blocks do not run.
 */
export class Life {
  #over = false;

  get over(): boolean {
    return this.#over;
  }

  end(): void {
    this.#over = true;
  }

  /** `work`, as long as this life lasts. */
  guard<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      work.then(
        (value) => this.#over || resolve(value),
        (error) => this.#over || reject(error),
      );
    });
  }

  /** Begins `work`, unless this life is over. */
  attempt<T>(work: () => Promise<T>): Promise<T> {
    return this.#over ? new Promise<T>(() => undefined) : this.guard(work());
  }

  /** The clock as this life sees it. */
  clock(clock: SimClock): Clock {
    return {
      now: () => clock.now(),
      sleep: (durationMs, signal) => this.attempt(() => clock.sleep(durationMs, signal)),
    };
  }
}
