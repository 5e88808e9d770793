/** Duties under way: each is done once at a time, stopped when it is no longer owed, and tried again after trouble. */
import type { Clock } from '@folkmoot/core';

const RETRY_MS = 1500;

export class TaskList {
  readonly #clock: Clock;
  readonly #running = new Map<string, AbortController>();
  readonly #onTrouble: (error: unknown) => void;
  readonly #onIdle: () => void;
  #stopped = false;

  /** `onIdle` is called when a task ended or may be tried again: the moment to look at the duties. */
  constructor(clock: Clock, onTrouble: (error: unknown) => void, onIdle: () => void) {
    this.#clock = clock;
    this.#onTrouble = onTrouble;
    this.#onIdle = onIdle;
  }

  /** Starts what is owed and not under way; stops what is no longer owed. */
  settle(owed: ReadonlyMap<string, (signal: AbortSignal) => Promise<unknown>>): void {
    for (const [name, controller] of this.#running) if (!owed.has(name)) controller.abort(new Error('no longer owed'));
    if (this.#stopped) return;
    for (const [name, task] of owed) if (!this.#running.has(name)) this.#start(name, task);
  }

  stop(): void {
    this.#stopped = true;
    for (const controller of this.#running.values()) controller.abort(new Error('stopped'));
  }

  async #start(name: string, task: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    const controller = new AbortController();
    this.#running.set(name, controller);
    try {
      await task(controller.signal);
    } catch (error) {
      if (!controller.signal.aborted) this.#onTrouble(error);
    }
    // Done or not, the duty is looked at again a little later: by then the log shows what became of it.
    if (!controller.signal.aborted) await this.#clock.sleep(RETRY_MS, controller.signal).catch(() => {});
    this.#running.delete(name);
    if (!this.#stopped) this.#onIdle();
  }
}
