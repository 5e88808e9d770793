/**
 * How a node behind a router is reached: through a relay (circuit relay v2), then directly where both routers allow it
 * (DCUtR); by a port that the router was asked for (UPnP). And how it helps others: as a relay with tight limits.
 */
import { autoNAT } from '@libp2p/autonat';
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2';
import { dcutr } from '@libp2p/dcutr';
import { uPnPNAT } from '@libp2p/upnp-nat';
import { multiaddr } from '@multiformats/multiaddr';
import type { Libp2p, Libp2pOptions } from 'libp2p';
import { freePort, isPrivate, type ObserverComponents, SharedPort } from './shared-port.ts';

/** What one relayed connection may carry. */
export interface RelayLimits {
  readonly bytes: number;
  readonly durationMs: number;
  /** Members that may wait for connections here. */
  readonly reservations: number;
}

/** Enough to meet and for small records; artifacts go directly, or over HTTP. */
export const RELAY_LIMITS: RelayLimits = { bytes: 128 * 1024, durationMs: 120_000, reservations: 32 };
/**
 * A relayed connection on which so much is left is paid for by somebody who means it: artifacts may go through it. One that
 * does not fit breaks off, and goes on over the next.
 */
export const BULK_RELAY_BYTES = 2 ** 20;

/** Routers that answer at all do so in a second or two. */
const UPNP_MS = 10_000;
const POLL_MS = 100;

/** Whether `address` can be dialled from anywhere, without a relay. */
export function isDirectFromAfar(address: string): boolean {
  return !address.includes('/p2p-circuit') && !isPrivate(address);
}

export interface ReachOptions {
  /** Relays through which this node is reachable: multiaddrs with `/p2p/…`. */
  readonly through?: readonly string[];
  /** Looks for relays among its peers too. */
  readonly findsRelays?: boolean;
  /** Relays for others. Default: where an own address is public. */
  readonly relays?: RelayLimits | false;
  /** Asks the router for a port. Default: it does not, since that changes the router. */
  readonly upnp?: boolean;
}

/** The parts of libp2p's configuration that are about reach. Loopback-only nodes have none of it. */
export class Reach {
  readonly #options: ReachOptions;
  readonly #port: SharedPort;
  readonly #isPublic: boolean;

  private constructor(options: ReachOptions, port: SharedPort, isPublic: boolean) {
    this.#options = options;
    this.#port = port;
    this.#isPublic = isPublic;
  }

  /** `ownAddresses`: at which this machine would be reached if nothing were between. */
  static async prepare(options: ReachOptions, ownAddresses: readonly string[]): Promise<Reach> {
    return new Reach(
      options,
      new SharedPort(await freePort()),
      ownAddresses.some((address) => !isPrivate(address)),
    );
  }

  /** Relays that are named are not among these: one that is full or down must not keep a member from starting. */
  listen(): string[] {
    return this.#options.findsRelays ? ['/p2p-circuit'] : [];
  }

  transports(): NonNullable<Libp2pOptions['transports']> {
    return [this.#port.transport(), circuitRelayTransport()];
  }

  services(): Record<string, (components: never) => unknown> {
    const { upnp } = this.#options;
    const limits = this.relayLimits();
    return {
      autonat: autoNAT({ maxInboundStreams: 2 }),
      // More than its three attempts: on a busy machine the moment that both agreed on passes by.
      dcutr: dcutr({ retries: 6 }),
      observer: this.#port.observer(),
      ...(limits && { relay: relayServer(limits) }),
      ...(upnp && { upnp: uPnPNAT({ autoConfirmAddress: true }) }),
    } as Record<string, (components: never) => unknown>;
  }

  /** What this node relays for others; `undefined` where it does not. */
  relayLimits(): RelayLimits | undefined {
    const { relays } = this.#options;
    if (relays === false) return undefined;
    return relays ?? (this.#isPublic ? RELAY_LIMITS : undefined);
  }

  /** Whether the routers on the way keep port numbers; `undefined` where that is not known. */
  keepsPorts(): boolean | undefined {
    return this.#port.isKept();
  }

  /** Whether others can dial `address`; what was seen of the port that this node dials from is for meeting only. */
  isForOthers(address: string): boolean {
    return ![...this.#port.seenAt].some((seen) => address.startsWith(seen.split('/p2p/')[0]!));
  }

  /** An address of this machine's own network card needs no confirmation by four strangers. */
  static confirmOwn(libp2p: Libp2p): void {
    const { addressManager, transportManager } = componentsOf(libp2p);
    for (const address of transportManager.getAddrs())
      if (!isPrivate(address.toString())) addressManager.confirmObservedAddr(address as never, { type: 'transport' });
  }

  /**
   * Where the router was asked for a port, waits for its address, `UPNP_MS` at most: whoever is told this node's addresses
   * now must not miss the one that works.
   */
  async untilMapped(libp2p: Libp2p): Promise<void> {
    if (!this.#options.upnp || this.#isPublic) return;
    const isMapped = () => libp2p.getMultiaddrs().some((address) => isDirectFromAfar(address.toString()));
    for (let waitedMs = 0; waitedMs < UPNP_MS && !isMapped(); waitedMs += POLL_MS)
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }

  /** Asks the named relays for a place, once; and for those that were lost every so often until `signal` aborts. */
  async keepReserved(libp2p: Libp2p, everyMs: number, signal: AbortSignal): Promise<void> {
    const { through = [] } = this.#options;
    await this.#reserve(libp2p, through);
    if (through.length > 0) void this.#reserveAgain(libp2p, through, everyMs, signal);
  }

  async #reserveAgain(libp2p: Libp2p, through: readonly string[], everyMs: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, everyMs);
        timer.unref();
        signal.addEventListener('abort', resolve, { once: true });
      });
      if (signal.aborted) return;
      const mine = libp2p.getMultiaddrs().map(String);
      await this.#reserve(
        libp2p,
        through.filter((relay) => !mine.some((address) => address.includes(`${idIn(relay)}/p2p-circuit`))),
      );
    }
  }

  async #reserve(libp2p: Libp2p, relays: readonly string[]): Promise<void> {
    const { transportManager } = componentsOf(libp2p);
    await Promise.all(
      relays.map((relay) => transportManager.listen([multiaddr(`${relay}/p2p-circuit`)]).catch(() => {})),
    );
  }
}

/** What libp2p gives to its services, and otherwise hides. */
interface Components {
  readonly transportManager: { listen(addresses: unknown[]): Promise<void>; getAddrs(): { toString(): string }[] };
  readonly addressManager: ObserverComponents['addressManager'];
}

function componentsOf(libp2p: Libp2p): Components {
  return (libp2p as unknown as { components: Components }).components;
}

function relayServer({ bytes, durationMs, reservations }: RelayLimits) {
  return circuitRelayServer({
    maxInboundHopStreams: 64,
    reservations: {
      maxReservations: reservations,
      defaultDataLimit: BigInt(bytes),
      defaultDurationLimit: durationMs,
    },
  });
}

const idIn = (address: string) => /\/p2p\/[^/]+$/.exec(address)?.[0] ?? address;
