/** Brings a record to whoever orders the log: this member, one that it is connected to, or one that another can reach. */
import { type DeviceId, type Network, WorldError } from '@folkmoot/core';
import type { VerifiedRecord } from '@folkmoot/records';
import type { Complaints } from './complaints.ts';
import type { Log } from './log.ts';
import type { Peers } from './peers.ts';
import { type Sequencer, submitTo } from './sequencer.ts';
import type { Receipt } from './voice.ts';

export class Courier {
  readonly #network: Network;
  readonly #log: Log;
  readonly #peers: Peers;
  readonly #sequencer: () => Sequencer;
  readonly #signal: AbortSignal;
  readonly #complaints: Pick<Complaints, 'watch'>;
  /** Whom to ask next to pass a record on. */
  #passed = 0;

  constructor(
    network: Network,
    log: Log,
    peers: Peers,
    sequencer: () => Sequencer,
    complaints: Pick<Complaints, 'watch'>,
    signal: AbortSignal,
  ) {
    this.#network = network;
    this.#log = log;
    this.#peers = peers;
    this.#sequencer = sequencer;
    this.#complaints = complaints;
    this.#signal = signal;
  }

  /** Throws `peer-unreachable` where nobody can be asked. */
  async submit(sign: () => VerifiedRecord): Promise<Receipt> {
    if (this.#sequencer().leads) return this.#sequencer().submit(sign);
    const { sequencer } = this.#log.state;
    await this.reach(sequencer);
    const connected = this.#network.peers();
    const to = connected.includes(sequencer) ? sequencer : connected[this.#passed++ % Math.max(1, connected.length)];
    if (to === undefined)
      throw new WorldError('peer-unreachable', 'The member that orders the log cannot be reached.', {
        facts: { sequencer },
        help: 'It is tried again; without it, electors vote for another.',
      });
    const record = sign();
    const sending = submitTo(this.#network, to, record);
    this.#complaints.watch(record, sending);
    return sending;
  }

  /** Whether `device` is connected, or could be at one of its addresses. */
  async reach(device: DeviceId): Promise<boolean> {
    if (this.#network.peers().includes(device)) return true;
    for (const address of this.#peers.addressesOf(device)) {
      const isThere = this.#network.connect(address, this.#signal).then(
        () => true,
        () => false,
      );
      if (await isThere) break;
    }
    return this.#network.peers().includes(device);
  }
}
