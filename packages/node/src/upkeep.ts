/** After a round: the next base by own arithmetic, its hold-out loss, and a tidy store; in order, beside the duties. */
import { type Clock, type Hash, isWorldError, utf8 } from '@folkmoot/core';
import type { Event } from '@folkmoot/protocol';
import type { Keepsakes } from './keepsakes.ts';
import type { Roles } from './roles.ts';
import type { Workbench } from './workbench.ts';

const RETRY_MS = 2000;

export interface UpkeepParts {
  readonly bench: Workbench;
  readonly roles: Roles;
  readonly keepsakes: Keepsakes;
  /** Measures the hold-out loss of every new base. */
  readonly evaluates: boolean;
  readonly onTrouble: (error: unknown) => void;
  readonly signal: AbortSignal;
}

export class Upkeep {
  readonly #parts: UpkeepParts;
  readonly #clock: Clock;
  #done: Promise<void> = Promise.resolve();

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
    this.#clock = parts.bench.clock;
  }

  /** A round has ended: what follows from it is done after what followed from those before. */
  adopt(event: Extract<Event, { kind: 'finalized' }>): void {
    const { bench, evaluates, signal } = this.#parts;
    const included = event.trainers.map((trainer, i) => ({ trainer, update: event.updates[i]! }));
    const { base, nextBase } = event.content;
    const place = { base, previous: event.previous };
    this.#done = this.#done.then(async () => {
      if (signal.aborted) return;
      try {
        await this.#untilAvailable(() => bench.bases.adopt(bench.log.state, event.round, place, included, nextBase));
        if (evaluates) await this.#evaluate(event.round, nextBase);
        await this.#tidy();
      } catch (error) {
        if (isWorldError(error, 'desync')) await bench.cells.write('desync', utf8(error.message)).catch(() => {});
        this.#parts.onTrouble(error);
      }
    });
  }

  /** Resolves when nothing is under way. */
  settled(): Promise<void> {
    return this.#done.catch(() => {});
  }

  /** Tries again while bytes cannot be had: without the round's updates there is no next base to stand on. */
  async #untilAvailable(task: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await task();
      } catch (error) {
        if (!isWorldError(error, 'artifact-unavailable')) throw error;
        this.#parts.bench.notify({ kind: 'trouble', error });
        await this.#clock.sleep(RETRY_MS, this.#parts.signal);
      }
    }
  }

  async #evaluate(round: number, base: Hash): Promise<void> {
    const { bases, log, work, notify } = this.#parts.bench;
    const params = await bases.get(log.state, base);
    notify({ kind: 'evaluated', round, base, holdoutLoss: await work.evaluate(params) });
  }

  async #tidy(): Promise<void> {
    const { bench, roles, keepsakes } = this.#parts;
    const carry = bench.log.state.members[bench.key.id]?.carry;
    if (!carry) return;
    const mine = [...(await roles.needed()), carry.moments, carry.error];
    await bench.artifacts.collect([...keepsakes.ids, ...mine]);
    await keepsakes.keep(bench.cells, bench.log);
  }
}
