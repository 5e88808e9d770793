/** What a store must keep for the whole run: bases, updates, and every state that was opened for an audit. */
import type { DeviceId, Hash } from '@folkmoot/core';
import type { RecordBody } from '@folkmoot/records';

/** Commits of a few rounds: audits follow within two. */
const REMEMBERED_COMMITS = 4096;

export class Keepsakes {
  readonly ids: Set<Hash>;
  /** Error memory that a commit started from, until it is known whether it is audited. */
  readonly #errors = new Map<string, Hash>();

  /** `pinned`: artifacts that the run needs from the start. */
  constructor(pinned: Iterable<Hash>) {
    this.ids = new Set(pinned);
  }

  /** Reads one record; a refused one may name artifacts too, which costs nothing. */
  observe(body: RecordBody): void {
    switch (body.kind) {
      case 'header':
        this.#keep(body.header.base, body.header.nextBase);
        break;
      case 'reveal':
        this.#keep(body.update);
        break;
      case 'commit':
        this.#errors.set(placeOf(body.round, body.device), body.errorIn);
        if (this.#errors.size > REMEMBERED_COMMITS) this.#errors.delete(this.#errors.keys().next().value!);
        break;
      case 'open':
        this.#keep(body.params, body.moments);
        break;
      case 'close':
        this.#keep(body.endParams, body.endMoments, body.lastParams);
        this.#keep(this.#errors.get(placeOf(body.round, body.device)));
        break;
    }
  }

  #keep(...ids: (Hash | undefined)[]): void {
    for (const id of ids) if (id !== undefined) this.ids.add(id);
  }
}

const placeOf = (round: number, device: DeviceId) => `${round} ${device}`;
