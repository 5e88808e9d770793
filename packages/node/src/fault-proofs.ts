/** Proofs that a device has signed two things for one place: told, kept for everybody, brought to the log. */
import { type Canonical, type Cells, canonicalJson, type DeviceId, utf8 } from '@folkmoot/core';
import type { SealedEnvelope } from '@folkmoot/records';
import type { Contradiction } from './contradictions.ts';
import type { Log } from './log.ts';
import type { Notice } from './notices.ts';

interface Proof {
  readonly first: string;
  readonly second: string;
}

export class FaultProofs {
  readonly #log: Log;
  readonly #cells: Cells;
  readonly #notify: (notice: Notice) => void;
  readonly #onProven: (device: DeviceId) => void;
  /** One for each device: a second one would prove nothing more. */
  readonly #known = new Map<DeviceId, Proof>();

  /** `onProven` is told each device once, as soon as the proof is known. */
  constructor(log: Log, cells: Cells, notify: (notice: Notice) => void, onProven: (device: DeviceId) => void) {
    this.#log = log;
    this.#cells = cells;
    this.#notify = notify;
    this.#onProven = onProven;
  }

  /** Two entries for one place of the log. Resolves when the proof is on disk. */
  async proveFork(fork: readonly [SealedEnvelope, SealedEnvelope]): Promise<void> {
    const [first, second] = fork.map((envelope) => canonicalJson(envelope as unknown as Canonical)) as [string, string];
    const { device, envelope } = fork[0];
    const { term, index } = envelope;
    await this.#file(device, { first, second }, (proof) => ({ kind: 'fork-proven', device, term, index, proof }));
  }

  /** Two records for one place of a round. */
  async proveContradiction({ device, what, first, second }: Contradiction): Promise<void> {
    await this.#file(device, { first, second }, (proof) => ({ kind: 'contradiction-proven', device, what, proof }));
  }

  /** What the log does not have yet: nobody knows of these devices' fault there. */
  *unsaid(): Iterable<[DeviceId, Proof]> {
    for (const [device, proof] of this.#known)
      if (this.#log.state.members[device]?.banned === false) yield [device, proof];
  }

  async #file(device: DeviceId, proof: Proof, noticeOf: (text: string) => Notice): Promise<void> {
    const { state } = this.#log;
    if (state.members[device]?.banned || this.#known.has(device)) return;
    this.#known.set(device, proof);
    const text = canonicalJson({ run: state.run, ...proof });
    this.#notify(noticeOf(text));
    this.#onProven(device);
    await this.#cells.write(`fork-${device.slice(0, 16)}`, utf8(text)).catch(() => {});
  }
}
