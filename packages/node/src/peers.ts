/** Who is where: members tell each other their addresses, and everybody keeps a few connections. */
import {
  type Canonical,
  type Cells,
  type Clock,
  canonicalBytes,
  type DeviceId,
  fromUtf8,
  type Hash,
  isWorldError,
  type Network,
  WorldError,
} from '@folkmoot/core';
import { askJson } from './exchange.ts';
import { firstDoor } from './first-door.ts';
import { helloIn, MAX_ADDRESSES, MAX_TOLD, toTell, welcomeIn } from './hello.ts';
import type { Notice } from './notices.ts';

/** Connections that a member tries to hold; a larger network stays connected through these. */
const WANTED_PEERS = 24;
const KNOWN_LIMIT = 256;
const ROUND_MS = 3000;
const FORGET_AFTER_FAILURES = 40;
const CELL = 'peers';

interface Known {
  addresses: string[];
  failures: number;
}

export class Peers {
  readonly #network: Network;
  readonly #clock: Clock;
  readonly #cells: Cells;
  readonly #run: Hash;
  readonly #known = new Map<DeviceId, Known>();
  /** Addresses whose device is not known yet: those of the invite. */
  readonly #doors: string[];
  readonly #greeted = new Set<DeviceId>();
  /** Whether more is known than was written down. */
  #isNews = false;

  constructor(network: Network, clock: Clock, cells: Cells, run: Hash, doors: readonly string[]) {
    this.#network = network;
    this.#clock = clock;
    this.#cells = cells;
    this.#run = run;
    this.#doors = [...doors];
  }

  /** Answers greetings: whoever connects leaves its addresses and gets those of the others. */
  serve(): void {
    const limits = { maxRequestBytes: 8192, maxConcurrentPerPeer: 2 };
    const answer = (peer: DeviceId, request: Uint8Array) => this.#welcome(peer, request);
    this.#network.serve(
      'hello',
      async function* (peer, request) {
        yield answer(peer, request);
      },
      limits,
    );
  }

  /** Connects for the first time. Throws `invite-unreachable` or `invite-foreign` where no door opens. */
  async enter(): Promise<void> {
    await this.#recall();
    if (this.#doors.length === 0) return;
    const enter = async (door: string) => {
      const peer = await this.#network.connect(door);
      await this.#greet(peer);
      this.#hear(peer, [door]);
    };
    const cause = await firstDoor(this.#doors, enter, this.#clock).catch((error: unknown) => ({ error }));
    if (cause === undefined) return;
    if (isWorldError(cause.error, 'invite-foreign')) throw cause.error;
    if (this.#known.size > 0) return;
    throw new WorldError('invite-unreachable', 'No member of this run answers at the addresses in the invite.', {
      facts: { addresses: this.#doors.join(' ') },
      help: 'Check that the member who invited you is running and can be reached from here, or ask for a newer invite.',
      cause: cause.error,
    });
  }

  /** Keeps connections until `signal` aborts. */
  async run(notify: (notice: Notice) => void, signal: AbortSignal): Promise<void> {
    const unwatch = this.#network.watchPeers((device, connected) => {
      if (!connected) this.#greeted.delete(device);
      notify({ kind: 'peer', device, connected });
    });
    while (!signal.aborted) {
      await this.#dialMissing(signal);
      await Promise.all(this.#network.peers().map((peer) => this.#greet(peer).catch(() => {})));
      await this.#remember().catch(() => {});
      await this.#clock.sleep(ROUND_MS, signal).catch(() => {});
    }
    unwatch();
    await this.#remember().catch(() => {});
  }

  /** How many can be expected to answer soon after a start: those that were known before it, as many as are dialled. */
  get expected(): number {
    return Math.min(WANTED_PEERS, this.#known.size);
  }

  /** Addresses at which `device` was last heard of. */
  addressesOf(device: DeviceId): readonly string[] {
    return this.#known.get(device)?.addresses ?? [];
  }

  async #dialMissing(signal: AbortSignal): Promise<void> {
    const connected = new Set(this.#network.peers());
    const missing = [...this.#known].filter(([device]) => !connected.has(device) && device !== this.#network.self);
    const room = WANTED_PEERS - connected.size;
    await Promise.all(missing.slice(0, Math.max(0, room)).map(([device, known]) => this.#dial(device, known, signal)));
    if (connected.size === 0) for (const door of this.#doors) await this.#network.connect(door, signal).catch(() => {});
  }

  async #dial(device: DeviceId, known: Known, signal: AbortSignal): Promise<void> {
    for (const address of known.addresses) {
      try {
        await this.#network.connect(address, signal);
        known.failures = 0;
        return;
      } catch {
        known.failures++;
      }
    }
    if (known.failures > FORGET_AFTER_FAILURES) this.#known.delete(device);
  }

  async #greet(peer: DeviceId): Promise<void> {
    if (this.#greeted.has(peer)) return;
    const answer = await askJson(this.#network, peer, 'hello', {
      run: this.#run,
      addresses: toTell(this.#network.addresses()),
    });
    const { run, peers } = welcomeIn(answer);
    if (run !== this.#run)
      throw new WorldError('invite-foreign', 'The member at this address takes part in another run.', {
        facts: { wanted: this.#run, found: run },
        help: 'Ask for a new invite: the member may have moved, or the address was given to somebody else.',
      });
    this.#greeted.add(peer);
    for (const { device, addresses } of peers) this.#hear(device, addresses);
    await this.#remember();
  }

  async #welcome(peer: DeviceId, request: Uint8Array): Promise<Uint8Array> {
    const { run, addresses } = helloIn(request);
    if (run === this.#run) this.#learn(peer, addresses);
    const peers = [...this.#known]
      .filter(([device]) => device !== peer)
      .map(([device, known]) => ({ device, addresses: known.addresses }));
    return canonicalBytes({ run: this.#run, peers: run === this.#run ? peers.slice(0, MAX_TOLD) : [] } as Canonical);
  }

  /** Hearsay: never in place of what a device said itself, or one liar could cut everybody off. */
  #hear(device: DeviceId, addresses: readonly string[]): void {
    if (!this.#known.has(device)) this.#learn(device, addresses);
  }

  #learn(device: DeviceId, addresses: readonly string[]): void {
    if (device === this.#network.self) return;
    const usable = addresses.slice(0, MAX_ADDRESSES);
    if (usable.length === 0 || (this.#known.size >= KNOWN_LIMIT && !this.#known.has(device))) return;
    this.#known.set(device, { addresses: usable, failures: 0 });
    this.#isNews = true;
  }

  /** Also of those who greeted first. */
  async #remember(): Promise<void> {
    if (!this.#isNews) return;
    this.#isNews = false;
    const list = [...this.#known].map(([device, { addresses }]) => ({ device, addresses }));
    await this.#cells.write(CELL, canonicalBytes(list as Canonical));
  }

  async #recall(): Promise<void> {
    const bytes = await this.#cells.read(CELL);
    if (!bytes) return;
    for (const known of JSON.parse(fromUtf8(bytes)) as { device: DeviceId; addresses: string[] }[])
      this.#learn(known.device, known.addresses);
  }
}

/** Addresses of members that this one knew last time, from its cells. */
export async function rememberedAddresses(cells: Cells): Promise<string[]> {
  const bytes = await cells.read(CELL);
  if (!bytes) return [];
  return (JSON.parse(fromUtf8(bytes)) as { addresses: string[] }[]).flatMap(({ addresses }) => addresses);
}
