/** The engine that work is done on, and what was made on it; another one where its device is lost. */
import { isWorldError } from '@folkmoot/core';
import type { Engine } from '@folkmoot/tensor';

/** What is made on an engine and lives no longer than it. */
interface Made {
  free(): Promise<void>;
}

export class RenewedEngine {
  readonly #given: Engine;
  readonly #renew: (() => Promise<Engine>) | undefined;
  readonly #made = new Map<string, Promise<Made>>();
  #engine: Engine;
  #replacing: Promise<void> | undefined;

  /** `engine` stays its owner's to close. `renew` starts another one; without it a lost device stays lost. */
  constructor(engine: Engine, renew?: () => Promise<Engine>) {
    this.#given = engine;
    this.#engine = engine;
    this.#renew = renew;
  }

  /** The engine as it is now. */
  get current(): Engine {
    return this.#engine;
  }

  /** What `make` gives, made when it is first needed, and again on another engine or after a failure. */
  async once<T extends Made>(name: string, make: (engine: Engine) => Promise<T>): Promise<T> {
    const known = this.#made.get(name) as Promise<T> | undefined;
    if (known) return known;
    const making = this.guard(() => make(this.#engine));
    this.#made.set(name, making);
    making.catch(() => this.#made.get(name) === making && this.#made.delete(name));
    return making;
  }

  /**
   * Does `task` on the engine. Where the device is lost in the middle, another engine is started, and everything is to be
   * made again; the task fails all the same, for its state is gone.
   */
  async guard<T>(task: () => Promise<T>): Promise<T> {
    const before = this.#engine;
    try {
      return await task();
    } catch (error) {
      if (isWorldError(error, 'engine-device-lost') && this.#engine === before) await this.#replaced();
      throw error;
    }
  }

  /** Frees what was made, and closes an engine that was started here. */
  async close(): Promise<void> {
    for (const made of this.#made.values()) await made.then((part) => part.free()).catch(() => {});
    this.#made.clear();
    if (this.#engine !== this.#given) await this.#engine.close();
  }

  /** Once, however many tasks the loss has ended. */
  #replaced(): Promise<void> {
    this.#replacing ??= this.#replace().finally(() => {
      this.#replacing = undefined;
    });
    return this.#replacing;
  }

  async #replace(): Promise<void> {
    const lost = this.#engine;
    // Where no other can be started now, the next task finds the old one lost and tries again.
    this.#engine = (await this.#renew?.().catch(() => undefined)) ?? lost;
    if (this.#engine === lost) return;
    this.#made.clear();
    if (lost !== this.#given) await lost.close();
  }
}
