/** Connections counted by the place that they come from, and who may have another one. */
import { type DeviceId, LOOPBACK, placeOf } from '@folkmoot/core';
import type { Connection, ConnectionGater } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import type { Libp2p } from 'libp2p';
import type { NetworkLimits } from './limits.ts';
import { deviceOf } from './peer-ids.ts';

/** Who may connect, asked before a connection costs more than its socket. */
export interface Gate {
  admitsDevice(device: DeviceId): boolean;
  admitsPlace(place: string): boolean;
}

export const OPEN_GATE: Gate = { admitsDevice: () => true, admitsPlace: () => true };

/** The place of the other end; of a relayed connection, that of the relay under another name. */
export function placeOfConnection({ remoteAddr }: Pick<Connection, 'remoteAddr'>): string {
  const components = remoteAddr.getComponents();
  const address = components.find(({ name }) => name === 'ip4' || name === 'ip6')?.value ?? 'nowhere';
  return components.some(({ name }) => name === 'p2p-circuit') ? `relayed by ${address}` : placeOf(address);
}

/** Open connections by place and by device. */
export class Places {
  readonly #limits: NetworkLimits;
  readonly #places = new Map<string, number>();
  readonly #devices = new Map<string, number>();

  constructor(limits: NetworkLimits) {
    this.#limits = limits;
  }

  hasRoom(place: string): boolean {
    return place === LOOPBACK || (this.#places.get(place) ?? 0) < this.#limits.maxConnectionsPerPlace;
  }

  /** Counts from now on. What came while others were being checked, and is one too many, is closed again. */
  watch(libp2p: Libp2p): void {
    libp2p.addEventListener('connection:open', ({ detail }) => this.#open(detail));
    libp2p.addEventListener('connection:close', ({ detail }) => this.#close(detail));
    for (const connection of libp2p.getConnections()) this.#open(connection);
  }

  #open(connection: Connection): void {
    const place = placeOfConnection(connection);
    const device = connection.remotePeer.toString();
    const isOne =
      connection.direction === 'outbound' ||
      (this.hasRoom(place) && (this.#devices.get(device) ?? 0) < this.#limits.maxConnectionsPerPeer);
    count(this.#places, place, 1);
    count(this.#devices, device, 1);
    if (!isOne) connection.abort(new Error('one connection too many from there'));
  }

  #close(connection: Connection): void {
    count(this.#places, placeOfConnection(connection), -1);
    count(this.#devices, connection.remotePeer.toString(), -1);
  }
}

export function gaterFor(gate: Gate, places: Places): ConnectionGater {
  const isShut = (remoteAddr: Multiaddr) => {
    const place = placeOfConnection({ remoteAddr });
    return !places.hasRoom(place) || !gate.admitsPlace(place);
  };
  const isUnwanted = (device: DeviceId | undefined) => device === undefined || !gate.admitsDevice(device);
  return {
    denyInboundConnection: ({ remoteAddr }) => isShut(remoteAddr),
    denyInboundEncryptedConnection: (peer) => isUnwanted(deviceOf(peer)),
    denyOutboundEncryptedConnection: (peer) => isUnwanted(deviceOf(peer)),
    denyInboundRelayReservation: (peer) => isUnwanted(deviceOf(peer)),
  };
}

function count(counts: Map<string, number>, name: string, change: 1 | -1): void {
  const sum = (counts.get(name) ?? 0) + change;
  if (sum > 0) counts.set(name, sum);
  else counts.delete(name);
}
