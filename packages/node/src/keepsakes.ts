/**
 * What a store must keep for the whole run: bases, updates, and every state that was opened for an audit.
 *
 * What the log has named so far is kept in a cell, which is written again when the log has grown by a part of it: a start
 * reads the cell and the end of the log.
 */
import { type Canonical, type Cells, canonicalBytes, type DeviceId, fromUtf8, type Hash } from '@folkmoot/core';
import type { RecordBody } from '@folkmoot/records';
import type { Log } from './log.ts';

const CELL = 'keepsakes';
/** Commits of a few rounds: audits follow within two. */
const REMEMBERED_COMMITS = 4096;
/** The cell is written when the log has grown by one entry for so many names in it: an entry is as long as eight names. */
const NAMES_PER_ENTRY = 8;

/** Everything that the entries up to `index`, and perhaps later ones, have named. */
interface Kept {
  readonly index: number;
  readonly ids: readonly Hash[];
  readonly errors: readonly (readonly [string, Hash])[];
}

export class Keepsakes {
  readonly ids: Set<Hash>;
  /** Error memory that a commit started from, until it is known whether it is audited. */
  readonly #errors = new Map<string, Hash>();
  /** The entry from which on a start would read the log. */
  #keptAt = -1;

  /** `pinned`: artifacts that the run needs from the start. */
  constructor(pinned: Iterable<Hash>) {
    this.ids = new Set(pinned);
  }

  /** Takes over what was kept, and reads the log from there on. */
  async open(cells: Cells, log: Log): Promise<void> {
    const bytes = await cells.read(CELL);
    const kept = bytes && (JSON.parse(fromUtf8(bytes)) as Kept);
    // A log that has lost its end may have another one by now.
    if (kept && kept.index < log.length) {
      for (const id of kept.ids) this.ids.add(id);
      for (const [place, error] of kept.errors) this.#errors.set(place, error);
      this.#keptAt = kept.index;
    }
    for await (const body of log.records(this.#keptAt + 1)) this.observe(body);
  }

  /** Writes the cell, where the log has grown by enough. Up to the anchor only: what follows may be taken back. */
  async keep(cells: Cells, { anchorIndex: index }: Log): Promise<void> {
    if ((index - this.#keptAt) * NAMES_PER_ENTRY < this.ids.size + this.#errors.size) return;
    this.#keptAt = index;
    const kept: Kept = { index, ids: [...this.ids], errors: [...this.#errors] };
    await cells.write(CELL, canonicalBytes(kept as unknown as Canonical));
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
