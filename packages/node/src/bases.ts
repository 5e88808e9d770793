/**
 * Bases: each member recomputes the next one from the included updates, and nobody adopts what they did not recompute.
 *
 * The exception is where a member enters, new or after an absence: at the base that two thirds of the witnesses signed,
 * fetched by hash. From there on no base is worked on that was not recomputed here.
 */
import { type Hash, sha256, WorldError } from '@folkmoot/core';
import type { State } from '@folkmoot/protocol';
import type { Artifacts } from './artifacts.ts';
import { artifactSizes, likely } from './expectations.ts';
import type { Notice } from './notices.ts';
import type { Work } from './work.ts';

/** The base of a round and the one before it: what a round's start follows from. */
export interface Place {
  readonly base: Hash;
  readonly previous: Hash;
}

/** An included update and who offered it. */
export interface Included {
  readonly trainer: string;
  readonly update: Hash;
}

export interface Aggregated {
  readonly aggregate: Hash;
  readonly nextBase: Hash;
}

export class Bases {
  readonly #artifacts: Artifacts;
  readonly #work: Work;
  readonly #notify: (notice: Notice) => void;
  /** By base and set of updates: witnesses aggregate before the header, and again nobody. */
  readonly #done = new Map<string, Promise<Aggregated>>();
  /** Bases that this member stands on, newest last, and those who wait for one. */
  readonly #adopted = new Map<Hash, PromiseWithResolvers<void>>();

  constructor(artifacts: Artifacts, work: Work, notify: (notice: Notice) => void) {
    this.#artifacts = artifacts;
    this.#work = work;
    this.#notify = notify;
  }

  /** Stands on `base` as on one of its own: where this member enters. */
  enter(base: Hash): void {
    this.#place(base).resolve();
  }

  /** Resolves when this member has adopted `base`. Rejects with the signal's reason. */
  async adopted(base: Hash, signal: AbortSignal): Promise<void> {
    const aborted = new Promise<never>((_, reject) => {
      if (signal.aborted) reject(signal.reason);
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    await Promise.race([this.#place(base).promise, aborted]);
  }

  /** The bytes of a base, from disk or from other members. */
  get(state: State, base: Hash, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#artifacts.get(base, {
      maxBytes: artifactSizes(state.charter).params,
      from: [state.sequencer],
      signal,
    });
  }

  /** Where a round starts, the same for all its trainers. */
  async start(state: State, { base, previous }: Place, signal?: AbortSignal): Promise<Uint8Array> {
    const bytes = await this.get(state, base, signal);
    if (state.charter.aggregator.momentum === undefined || previous === base) return bytes;
    return this.#work.start(bytes, await this.get(state, previous, signal));
  }

  /** Aggregates `included` onto the round's start and files the result. */
  aggregate(state: State, place: Place, included: readonly Included[]): Promise<Aggregated> {
    const name = [place.base, place.previous, ...included.map(({ update }) => update)].join(' ');
    const running = this.#done.get(name);
    if (running) return running;
    const computed = this.#compute(state, place, included);
    this.#done.set(name, computed);
    computed.catch(() => this.#done.delete(name));
    // One round back is enough: a base is asked for while its round ends.
    for (const old of [...this.#done.keys()].slice(0, -2)) this.#done.delete(old);
    return computed;
  }

  /**
   * Adopts the base of a finished round by recomputing it. Tells `desync` and throws where it comes out differently from
   * what the witnesses signed.
   */
  async adopt(state: State, round: number, place: Place, included: readonly Included[], nextBase: Hash): Promise<void> {
    const mine = await this.aggregate(state, place, included);
    if (mine.nextBase !== nextBase) {
      this.#notify({ kind: 'desync', round, mine: mine.nextBase, theirs: nextBase });
      throw new WorldError('desync', `Round ${round} comes out differently here than the witnesses signed.`, {
        facts: { round, mine: mine.nextBase, theirs: nextBase },
        help: 'Run `folkmoot replay` on this round; either this machine computes wrongly or two thirds of the witnesses lie.',
      });
    }
    this.#place(nextBase).resolve();
    this.#notify({ kind: 'adopted', round, base: nextBase });
  }

  #place(base: Hash): PromiseWithResolvers<void> {
    let place = this.#adopted.get(base);
    if (!place) {
      place = Promise.withResolvers<void>();
      this.#adopted.set(base, place);
      for (const old of [...this.#adopted.keys()].slice(0, -4)) this.#adopted.delete(old);
    }
    return place;
  }

  // No duty's signal reaches this: the round's end calls duties off while adopting still needs the result.
  async #compute(state: State, place: Place, included: readonly Included[]): Promise<Aggregated> {
    const maxBytes = this.#work.maxUpdateBytes;
    const updates = await Promise.all(
      included.map(async ({ trainer, update }) => ({
        key: trainer,
        bytes: await this.#artifacts.get(update, { maxBytes, from: likely(state, trainer) }),
      })),
    );
    const { aggregate, nextBase } = this.#work.aggregate(await this.start(state, place), updates);
    await this.#artifacts.put(nextBase);
    return { aggregate, nextBase: sha256(nextBase) };
  }
}
