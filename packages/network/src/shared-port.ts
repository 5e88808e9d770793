/**
 * TCP that dials from one local port, and what others see of that port.
 *
 * A router that gives a local port one public port, whoever is dialled, lets two members behind routers meet: each learns
 * its public port from a relay, both dial at once from the same local ports, and the two requests for a connection cross
 * (simultaneous open). The port is not the one that is listened at, which the system would not share.
 */
import { createServer } from 'node:net';
import { isPrivateAddress } from '@folkmoot/core';
import type {
  Connection,
  IdentifyResult,
  Libp2pEvents,
  MultiaddrConnection,
  Transport,
  TypedEventTarget,
} from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';

/** A port that nobody has at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.on('error', reject).listen(0, resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export class SharedPort {
  readonly #port: number;
  #anchors: Connection[] = [];
  /** Public addresses at which others saw the port. */
  readonly seenAt = new Set<string>();

  constructor(port: number) {
    this.#port = port;
  }

  /** Whether routers keep the port's number: then what a relay sees is what others see. `undefined`: nobody has seen it. */
  isKept(): boolean | undefined {
    return this.seenAt.size === 0 ? undefined : [...this.seenAt].every((seen) => seen.includes(`/tcp/${this.#port}`));
  }

  /** The transport; machines of this network are dialled from any port. */
  transport(): ReturnType<typeof tcp> {
    const make = tcp();
    return (components) => {
      const transport = make(components);
      const dial = transport.dial.bind(transport);
      const self = String((components as unknown as { peerId: unknown }).peerId);
      transport.dial = (target, options) => this.#dial(dial, target, options as never, self);
      return transport;
    };
  }

  /** A service of libp2p: tells the address manager where the port is seen, so that DCUtR offers it. */
  observer(): (components: ObserverComponents) => object {
    return ({ events, addressManager }) => {
      events.addEventListener('peer:identify', ({ detail }: CustomEvent<IdentifyResult>) => {
        const { observedAddr, connection } = detail;
        if (!observedAddr || !this.#anchors.includes(connection) || isPrivate(observedAddr)) return;
        this.seenAt.add(observedAddr.toString());
        addressManager.confirmObservedAddr(observedAddr, { type: 'observed' });
      });
      return {};
    };
  }

  /**
   * Whether a connection shows where the port is seen. Others are made from any port: one from the shared port to a peer
   * behind a router would open this side's router for it too early, and its request would be refused for good by a
   * machine that has not dialled yet.
   */
  #isAnchored(): boolean {
    return this.#anchors.some(({ status }) => status === 'open');
  }

  async #dial(
    dial: Transport['dial'],
    target: Multiaddr,
    options: Parameters<Transport['dial']>[1],
    self: string,
  ): Promise<Connection> {
    if (isPrivate(target) || (this.#isAnchored() && !isPunching(options))) return dial(target, options);
    try {
      const role = isPunching(options) ? asListener(options, self < peerIn(target)) : {};
      const shared = { ...options, ...role, localPort: this.#port };
      const connection = await dial(target, shared as typeof options);
      if (!isPunching(options)) this.#anchors = [connection];
      return connection;
    } catch (error) {
      // An earlier connection to the same place still has the port.
      if (!/EADDRINUSE|EADDRNOTAVAIL/.test(String((error as Error).message))) throw error;
      return dial(target, options);
    }
  }
}

/** The priority of DCUtR's dial, when both sides have agreed on the moment. */
const PUNCHING = 100;

function isPunching(options: object): boolean {
  return (options as { priority?: number }).priority === PUNCHING;
}

/** Where both dial at once, one must play the listener. libp2p's queue of dials loses whom DCUtR meant. */
function asListener({ upgrader }: Parameters<Transport['dial']>[1], initiator: boolean): object {
  if (initiator) return {};
  return {
    initiator,
    upgrader: {
      upgradeOutbound: (connection: MultiaddrConnection, options: never) => {
        // The muxer takes its side from this.
        connection.direction = 'inbound';
        return upgrader.upgradeOutbound(connection, options);
      },
    },
  };
}

function peerIn(address: Multiaddr): string {
  return address.getComponents().findLast(({ name }) => name === 'p2p')?.value ?? '';
}

export interface ObserverComponents {
  readonly events: TypedEventTarget<Libp2pEvents>;
  readonly addressManager: {
    confirmObservedAddr(address: Multiaddr, options?: { type: 'observed' | 'transport' }): void;
  };
}

/** Whether an address is of a private network, or names no IP address at all. */
export function isPrivate(address: Multiaddr | string): boolean {
  const components = (typeof address === 'string' ? multiaddr(address) : address).getComponents();
  const ip = components.find(({ name }) => name === 'ip4' || name === 'ip6')?.value;
  return ip === undefined || isPrivateAddress(ip);
}
