/**
 * What this device has promised its fellow electors about the round at hand: what it has signed, sealed, voted and locked.
 *
 * Each is on disk before it is said, so that a restart repeats itself instead of contradicting itself. A finished round
 * ends all of it.
 */
import { type Canonical, type Cells, canonicalBytes, fromUtf8, type Hash } from '@folkmoot/core';
import type { State } from '@folkmoot/protocol';
import { type Certificate, headerId, type SignedRecord } from '@folkmoot/records';

const CELL = 'promises';

interface Kept {
  /** The last finished header: names the round that the promises are about, whatever its number. */
  readonly after: Hash;
  /** The latest term in which it has signed or for which it has voted: nothing more is said in an older one. */
  readonly term: number;
  readonly signed: { readonly term: number; readonly header: Hash } | null;
  /** What it has sealed: the signatures of a quorum. It stands by that until electors of this very round have voted for something else. */
  readonly lock: Certificate | null;
  readonly vote: SignedRecord | null;
  readonly abstains: boolean;
}

export class Promises {
  readonly #cells: Cells;
  #kept: Kept;

  private constructor(cells: Cells, kept: Kept) {
    this.#cells = cells;
    this.#kept = kept;
  }

  static async open(cells: Cells): Promise<Promises> {
    const bytes = await cells.read(CELL);
    return new Promises(cells, bytes ? (JSON.parse(fromUtf8(bytes)) as Kept) : nothing(''));
  }

  /** The vote that stands, if there is one about the round after `state.lastHeader`. */
  vote(state: State): SignedRecord | null {
    return this.#about(state).vote;
  }

  lock(state: State): Certificate | null {
    return this.#about(state).lock;
  }

  /** The latest term that was voted for or signed in; 0 where there was none. */
  term(state: State): number {
    return this.#about(state).term;
  }

  /** Promises to sign `header` in the present term and no other; false where an earlier promise forbids it. */
  async sign(state: State, header: Hash): Promise<boolean> {
    const kept = this.#about(state);
    const { term } = state;
    if (!this.#isFree(state, header) || (kept.signed?.term === term && kept.signed.header !== header)) return false;
    await this.#keep({ ...kept, term, signed: { term, header } });
    return true;
  }

  /** Locks on the certificate and promises to stand by it; false where an earlier promise forbids it. */
  async seal(state: State, certificate: Certificate): Promise<boolean> {
    const { term } = state;
    if (!this.#isFree(state, headerId(certificate.header))) return false;
    await this.#keep({ ...this.#about(state), term, lock: certificate });
    return true;
  }

  /** Files a vote, which is for a later term than anything before. */
  async cast(state: State, vote: SignedRecord, term: number): Promise<void> {
    await this.#keep({ ...this.#about(state), term, vote });
  }

  /** Promises to say nothing about this round; false where something was said. */
  async abstain(state: State): Promise<boolean> {
    const kept = this.#about(state);
    if (kept.abstains) return true;
    if (kept.term > 0 || kept.lock) return false;
    await this.#keep({ ...kept, abstains: true });
    return true;
  }

  /** Whether this device has promised to stay away: not where all the others have, and it alone is left. */
  isAbstaining(state: State): boolean {
    return this.#about(state).abstains && state.electors.length > 1;
  }

  /** Whether this device may go over to a log that folds to `other`: its lock must be in it, or voted away. */
  allows(mine: State, other: State): boolean {
    const { lock } = this.#about(mine);
    if (!lock || other.lastHeader !== mine.lastHeader) return true;
    return other.round.certified?.header === headerId(lock.header) || isVotedAway(other, lock);
  }

  #isFree(state: State, header: Hash): boolean {
    const { term, lock } = this.#about(state);
    if (this.isAbstaining(state) || term > state.term) return false;
    return !lock || headerId(lock.header) === header || isVotedAway(state, lock);
  }

  #about({ lastHeader }: State): Kept {
    return this.#kept.after === lastHeader ? this.#kept : nothing(lastHeader);
  }

  async #keep(kept: Kept): Promise<void> {
    this.#kept = kept;
    await this.#cells.write(CELL, canonicalBytes(kept as unknown as Canonical));
  }
}

/** Electors of this very round have voted for a later term, and nobody among them knew of this lock. */
function isVotedAway({ elected, finalized }: State, lock: Certificate): boolean {
  return elected.finalized === finalized && elected.term > lock.term;
}

function nothing(after: Hash): Kept {
  return { after, term: 0, signed: null, lock: null, vote: null, abstains: false };
}
