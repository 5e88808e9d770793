/** What a dispute is about: the segment as the log and the artifacts of both sides have it. */
import { type Hash, isWorldError, sha256, toHex } from '@folkmoot/core';
import type { Claimed, DisputeDuty } from '@folkmoot/protocol';
import { claimTree, stateLeaf } from '@folkmoot/records';
import type { Fetch, Place } from './arbitration.ts';
import { artifactSizes } from './expectations.ts';
import { startParams } from './start-params.ts';
import type { StateBytes } from './work.ts';
import type { Workbench } from './workbench.ts';

type Found = Pick<DisputeDuty, 'found' | 'accuser'>;

export class DisputedSegment {
  /** Artifacts, from the two sides and whoever has audited. */
  readonly fetch: Fetch;
  readonly #bench: Workbench;
  readonly #audit: DisputeDuty['found']['audit'];
  readonly #signal: AbortSignal;

  constructor(bench: Workbench, { found: { audit }, accuser }: Found, signal: AbortSignal) {
    const { artifacts, charter } = bench;
    const withinMs = Math.floor(charter.timing.auditMs / 5);
    const from = [audit.trainer, accuser, ...audit.auditors];
    this.fetch = (id, maxBytes) => artifacts.get(id, { maxBytes, from, signal, withinMs });
    this.#bench = bench;
    this.#audit = audit;
    this.#signal = signal;
  }

  /** Where the segment began. Throws `artifact-unavailable`. */
  async place(): Promise<Place> {
    const { round, seed, seat, skip, carryIn, segment, opened } = this.#audit;
    const { params, moments } = this.#sizes;
    const start = {
      params: segment === 1 ? await this.#roundStart() : await this.fetch(opened!.params, params),
      moments: await this.fetch(opened!.moments, moments),
    };
    const assignment = { round, seed, seat, skip, carriedSteps: carryIn.steps };
    return { assignment, segment, start };
  }

  /** Where the trainer said that it ends; `undefined` where that is nowhere to be had. */
  paid(): Promise<StateBytes | undefined> {
    const { endParams, endMoments } = this.#audit.closed!;
    const { params, moments } = this.#sizes;
    return ifAvailable(async () => ({
      params: await this.fetch(endParams, params),
      moments: await this.fetch(endMoments, moments),
    }));
  }

  /** The leaf of that end. */
  get end(): Hash {
    const { endParams, endMoments } = this.#audit.closed!;
    return stateLeaf([endParams, endMoments]);
  }

  /** Whether what was sent is the encoding of what was trained. Throws `artifact-unavailable`. */
  async encodes(): Promise<boolean> {
    const { closed, carryIn, update, commit } = this.#audit;
    const sizes = this.#sizes;
    const start = await this.#roundStart();
    const last = await this.fetch(closed!.lastParams, sizes.params);
    const mine = this.#bench.work.encode(start, last, await this.fetch(carryIn.error, sizes.error));
    return mine !== undefined && sha256(mine.update) === update && sha256(mine.errorOut) === commit.errorOut;
  }

  /**
   * The leaves of a claim; `undefined` where its artifact is not the list that its tree was made of. Throws
   * `artifact-unavailable`.
   */
  async leavesOf({ list, leaves, root }: Claimed): Promise<Hash[] | undefined> {
    const bytes = await this.fetch(list, 32 * leaves);
    if (bytes.length !== 32 * leaves) return undefined;
    const hashes = Array.from({ length: leaves }, (_, i) => toHex(bytes.subarray(32 * i, 32 * (i + 1))));
    return claimTree(hashes)[0]![0] === root ? hashes : undefined;
  }

  /** Where the round started, which follows from bases and memory that the log names. */
  #roundStart(): Promise<Uint8Array> {
    const { carryIn } = this.#audit;
    return startParams(this.#bench, this.#audit, () => this.fetch(carryIn.error, this.#sizes.error), this.#signal);
  }

  get #sizes() {
    return artifactSizes(this.#bench.charter);
  }
}

/** `undefined` where an artifact that `task` wants is nowhere to be had. */
export async function ifAvailable<T>(task: () => Promise<T>): Promise<T | undefined> {
  try {
    return await task();
  } catch (error) {
    if (isWorldError(error, 'artifact-unavailable')) return undefined;
    throw error;
  }
}
