/** Hashes that hide a value until its owner shows it, and chains of them. */
import { type DeviceId, type Hash, hashLink, hashOf } from '@folkmoot/core';

/** What a commit shows of an update. The device is inside, so a copied commit cannot be revealed by the copier. */
export function blindOf(update: Hash, salt: Hash, device: DeviceId): Hash {
  return hashOf('blind', update, salt, device);
}

/** What an auditor's `result` shows of the state that it computed. */
export function resultOf(stateRoot: Hash, salt: Hash, device: DeviceId): Hash {
  return hashOf('audit-result', stateRoot, salt, device);
}

/** Links in a device's seed chain: two are shown in a round, so it lasts for half as many rounds. */
export const CHAIN_LENGTH = 8192;

/** A hash chain: its last link is announced, and links are shown backwards, each the preimage of the one before. */
export class SeedChain {
  readonly #links: Hash[];

  /** Computes the chain from its secret: some 10 ms. */
  constructor(secret: Hash, length: number = CHAIN_LENGTH) {
    this.#links = [secret];
    for (let i = 1; i <= length; i++) this.#links.push(hashLink(this.#links[i - 1]!));
  }

  get length(): number {
    return this.#links.length - 1;
  }

  /** The link that is public after `shown` preimages; 0 is the announced tip. Throws `RangeError` when the chain is used up. */
  tip(shown: number): Hash {
    if (shown > this.length) throw new RangeError('the seed chain is used up: announce a new one');
    return this.#links[this.length - shown]!;
  }

  /** How many preimages were shown when `tip` is public; `undefined` where it is not of this chain. */
  shownAt(tip: Hash): number | undefined {
    // From the end: few links are shown of a chain that is in use.
    const at = this.#links.lastIndexOf(tip);
    return at < 0 ? undefined : this.length - at;
  }
}
