/** The witness: fetches every update, checks its form, attests what it saw; at the end it signs the header. */
import { assert, type Hash, sha256 } from '@folkmoot/core';
import type { Duty } from '@folkmoot/protocol';
import { CHAIN_LENGTH, headerId, SeedChain } from '@folkmoot/records';
import { likely } from './expectations.ts';
import type { Receipt } from './voice.ts';
import type { Workbench } from './workbench.ts';

/** Preimages that a chain still has when it is replaced: at least as many as the draws of one round can ask for. */
const SPARE_LINKS = 8;
const MAX_CHAINS = 64;

export class Witness {
  readonly #bench: Workbench;
  /** The seed chains of this device, one after another; the last is in use. */
  readonly #chains: SeedChain[] = [];
  readonly #chainLength: number;

  /** `chainLength`: of each seed chain. */
  constructor(bench: Workbench, chainLength: number = CHAIN_LENGTH) {
    this.#bench = bench;
    this.#chainLength = chainLength;
    this.#addChain();
  }

  /** The tip to announce: where the log last saw this device's chain, or its start. */
  tip(): Hash {
    const { log, key } = this.#bench;
    const tip = log.state.members[key.id]?.tip;
    return tip !== undefined && this.#shownAt(tip) !== undefined ? tip : this.#chain.tip(0);
  }

  /** The tip of a new chain where the present one is nearly used up: to be announced before preimages are shown. */
  freshTip(): Hash | undefined {
    if ((this.#shownAt(this.tip()) ?? 0) < this.#chainLength - SPARE_LINKS) return undefined;
    return this.#chainOf(this.#chains.length).tip(0);
  }

  /** Attests the updates that arrive in time and are well-formed. Leaves a third of the phase to say so. */
  async attest(duty: Extract<Duty, { kind: 'attest' }>, signal: AbortSignal): Promise<Receipt> {
    const { charter, voice, clock } = this.#bench;
    const late = new AbortController();
    const inTime = AbortSignal.any([signal, late.signal]);
    const giveUpIn = (durationMs: number) =>
      clock.sleep(durationMs, signal).then(
        () => late.abort(),
        () => {},
      );
    void giveUpIn(Math.floor((charter.timing.witnessMs * 2) / 3));
    const startedMs = clock.now();
    let arrived = 0;
    const look = async (update: (typeof duty.updates)[number]) => {
      const wellFormed = await this.#isWellFormed(update, inTime);
      // One slow trainer must not hold the round: when most are here, the rest gets half of the time again.
      if (2 * ++arrived > duty.updates.length && arrived < duty.updates.length)
        void giveUpIn(Math.max(charter.timing.graceMs, (clock.now() - startedMs) / 2));
      return wellFormed;
    };
    const seen = await Promise.all(duty.updates.map(look));
    signal.throwIfAborted();
    const updates = duty.updates.filter((_, i) => seen[i]).map(({ update }) => update);
    return voice.say('attest', { draw: duty.draw, updates, preimage: this.#preimage() }, duty);
  }

  /** Aggregates and signs the end of the round. */
  async finalize(duty: Extract<Duty, { kind: 'finalize' }>, signal: AbortSignal): Promise<Receipt | undefined> {
    const { bases, log, voice, promises } = this.#bench;
    const included = log.state.round.included.map((trainer, i) => ({ trainer, update: duty.updates[i]! }));
    await bases.adopted(duty.base, signal);
    const { aggregate, nextBase } = await bases.aggregate(log.state, duty, included);
    signal.throwIfAborted();
    const header = { ...duty.expected, aggregate, nextBase };
    const { term } = log.state;
    if (!(await promises.sign(log.state, headerId(header)))) return undefined;
    return voice.say('header', { header, preimage: this.#preimage() }, { ...duty, term });
  }

  /** Says that it has seen a quorum sign the header, and stands by it from now on. */
  async seal({ round, base, header, prev }: Extract<Duty, { kind: 'seal' }>): Promise<Receipt | undefined> {
    const { log, voice, promises } = this.#bench;
    const certificate = log.certificate();
    const { term } = log.state;
    if (!certificate || headerId(certificate.header) !== header || certificate.term !== term) return undefined;
    if (!(await promises.seal(log.state, certificate))) return undefined;
    return voice.say('seal', { header, prev }, { round, base, term });
  }

  async #isWellFormed({ trainer, update }: { trainer: string; update: Hash }, signal: AbortSignal): Promise<boolean> {
    const { artifacts, work, log } = this.#bench;
    try {
      const bytes = await artifacts.get(update, {
        maxBytes: work.maxUpdateBytes,
        from: likely(log.state, trainer),
        signal,
      });
      return sha256(bytes) === update && work.inspect(bytes) === null;
    } catch {
      return false;
    }
  }

  /** The preimage of what the log holds as this device's tip. */
  #preimage(): Hash {
    return this.#chain.tip((this.#shownAt(this.tip()) ?? 0) + 1);
  }

  get #chain(): SeedChain {
    return this.#chains.at(-1)!;
  }

  /** Where `tip` stands on this device's chains; the one that holds it becomes the present one. */
  #shownAt(tip: Hash): number | undefined {
    const shown = this.#chain.shownAt(tip);
    if (shown !== undefined || this.#bench.log.state.run === tip) return shown;
    for (let next = 0; next < MAX_CHAINS; next++) {
      if (this.#chains.length <= next) this.#addChain();
      const found = this.#chains[next]!.shownAt(tip);
      if (found === undefined) continue;
      this.#chains.length = next + 1;
      return found;
    }
    return undefined;
  }

  #addChain(): void {
    const number = this.#chains.length;
    assert(number < MAX_CHAINS, 'a device has a bounded number of chains');
    this.#chains.push(this.#chainOf(number));
  }

  #chainOf(number: number): SeedChain {
    const secret = this.#bench.secret(number === 0 ? 'seed-chain' : `seed-chain ${number}`);
    return new SeedChain(secret, this.#chainLength);
  }
}
