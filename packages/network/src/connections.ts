/** Who is connected: several connections to one peer count as one. */
import type { DeviceId } from '@folkmoot/core';
import type { Connection } from '@libp2p/interface';
import { deviceOf } from './peer-ids.ts';

type Listener = (peer: DeviceId, connected: boolean) => void;

export class Connections {
  readonly #open = new Map<DeviceId, Set<Connection>>();
  readonly #listeners = new Set<Listener>();

  peers(): DeviceId[] {
    return [...this.#open.keys()];
  }

  /** A connection to `peer` that is open, a direct one where there is one. */
  to(peer: DeviceId): Connection | undefined {
    const open = [...(this.#open.get(peer) ?? [])].filter(({ status }) => status === 'open');
    return open.find((connection) => !isRelayed(connection)) ?? open[0];
  }

  allTo(peer: DeviceId): Connection[] {
    return [...(this.#open.get(peer) ?? [])];
  }

  watch(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes note of a new connection. */
  add(connection: Connection): void {
    const peer = deviceOf(connection.remotePeer);
    if (!peer || connection.status !== 'open') return;
    const connections = this.#open.get(peer) ?? new Set();
    if (connections.has(connection)) return;
    connections.add(connection);
    this.#open.set(peer, connections);
    if (connections.size === 1) this.#tell(peer, true);
  }

  remove(connection: Connection): void {
    const peer = deviceOf(connection.remotePeer);
    const connections = peer ? this.#open.get(peer) : undefined;
    if (!peer || !connections?.delete(connection) || connections.size > 0) return;
    this.#open.delete(peer);
    this.#tell(peer, false);
  }

  #tell(peer: DeviceId, connected: boolean): void {
    for (const listener of [...this.#listeners]) listener(peer, connected);
  }
}

export function isRelayed({ remoteAddr }: Pick<Connection, 'remoteAddr'>): boolean {
  return remoteAddr.getComponents().some(({ name }) => name === 'p2p-circuit');
}
