/** The witness: fetches every update, checks its form, attests what it saw; at the end it signs the header. */
import { type Hash, sha256 } from '@folkmoot/core';
import type { Duty } from '@folkmoot/protocol';
import { SeedChain } from '@folkmoot/records';
import { likely } from './expectations.ts';
import type { Receipt } from './voice.ts';
import type { Workbench } from './workbench.ts';

export class Witness {
  readonly #bench: Workbench;
  readonly #chain: SeedChain;

  constructor(bench: Workbench) {
    this.#bench = bench;
    this.#chain = new SeedChain(bench.secret('seed-chain'));
  }

  /** The tip to announce: where the log last saw this device's chain, or its start. */
  tip(): Hash {
    const { log, key } = this.#bench;
    const tip = log.state.members[key.id]?.tip;
    return tip !== undefined && this.#chain.shownAt(tip) !== undefined ? tip : this.#chain.tip(0);
  }

  /** Attests the updates that arrive in time and are well-formed. Leaves a third of the phase to say so. */
  async attest(duty: Extract<Duty, { kind: 'attest' }>, signal: AbortSignal): Promise<Receipt> {
    const { charter, voice, clock } = this.#bench;
    const late = new AbortController();
    const inTime = AbortSignal.any([signal, late.signal]);
    clock.sleep(Math.floor((charter.timing.witnessMs * 2) / 3), signal).then(
      () => late.abort(),
      () => {},
    );
    const seen = await Promise.all(duty.updates.map((update) => this.#isWellFormed(update, inTime)));
    signal.throwIfAborted();
    const updates = duty.updates.filter((_, i) => seen[i]).map(({ update }) => update);
    return voice.say('attest', { draw: duty.draw, updates, preimage: this.#preimage() }, duty);
  }

  /** Aggregates and signs the end of the round. */
  async finalize(duty: Extract<Duty, { kind: 'finalize' }>, signal: AbortSignal): Promise<Receipt> {
    const { bases, log, voice } = this.#bench;
    const included = log.state.round.included.map((trainer, i) => ({ trainer, update: duty.updates[i]! }));
    const { aggregate, nextBase } = await bases.aggregate(log.state, duty.base, included, signal);
    signal.throwIfAborted();
    return voice.say(
      'header',
      { draw: duty.draw, header: { ...duty.expected, aggregate, nextBase }, preimage: this.#preimage() },
      duty,
    );
  }

  async #isWellFormed({ trainer, update }: { trainer: string; update: Hash }, signal: AbortSignal): Promise<boolean> {
    const { artifacts, work, charter } = this.#bench;
    try {
      const bytes = await artifacts.get(update, {
        maxBytes: work.maxUpdateBytes,
        from: likely(charter, trainer),
        signal,
      });
      return sha256(bytes) === update && work.inspect(bytes) === null;
    } catch {
      return false;
    }
  }

  /** The preimage of what the log holds as this device's tip. */
  #preimage(): Hash {
    return this.#chain.tip((this.#chain.shownAt(this.tip()) ?? 0) + 1);
  }
}
