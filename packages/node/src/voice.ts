/** What this device says: signs its records in sequence and brings them to the sequencer, one at a time. */
import { type DeviceKey, type Hash, WorldError } from '@folkmoot/core';
import type { State } from '@folkmoot/protocol';
import { type RecordBody, type RecordKind, type Said, signRecord, type VerifiedRecord } from '@folkmoot/records';

/** Where a record went: into the log, or back with a reason. */
export type Receipt =
  | { readonly accepted: true; readonly index: number }
  /** `index`: the last entry of the log at which the rules refused it. */
  | { readonly accepted: false; readonly reason: string; readonly index?: number };

/** Brings the record that `sign` gives to the log. Throws where the sequencer cannot be reached. */
export type Submit = (sign: () => VerifiedRecord) => Promise<Receipt>;

export class Voice {
  readonly #key: DeviceKey;
  readonly #state: State;
  readonly #submit: Submit;
  #seq = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(key: DeviceKey, state: State, submit: Submit) {
    this.#key = key;
    this.#state = state;
    this.#submit = submit;
  }

  /** Signs with the next sequence number; `place` where the record is about a past round, or about one term and no other. */
  sign<K extends RecordKind>(
    kind: K,
    said: Said<K>,
    place?: { round: number; base: Hash; term?: number },
  ): VerifiedRecord {
    const { head, round, base, run, members, term } = this.#state;
    // After a restart the log knows best how far this device has counted.
    this.#seq = Math.max(this.#seq, members[this.#key.id]?.seq ?? 0) + 1;
    const { round: at, base: on } = place ?? { round: round.number, base };
    const seen = { index: head.index, id: head.id };
    const common = { run, round: at, base: on, device: this.#key.id, seq: this.#seq, seen, term: place?.term ?? term };
    return signRecord({ kind, ...common, ...said } as unknown as RecordBody, this.#key);
  }

  /** Says it. In turn, because a later number in the log makes an earlier one a repetition. */
  say<K extends RecordKind>(
    kind: K,
    said: Said<K>,
    place?: { round: number; base: Hash; term?: number },
  ): Promise<Receipt> {
    const spoken = this.#turn.then(() => this.#submit(() => this.sign(kind, said, place)));
    this.#turn = spoken.catch(() => {});
    return spoken;
  }
}

/** For those who cannot go on without being heard: throws `refused` with the log's reason. */
export function mustAccept(receipt: Receipt, what: string): number {
  if (receipt.accepted) return receipt.index;
  throw new WorldError('refused', `The log refused this device’s ${what}: ${receipt.reason}.`);
}
