/** Whether something answers at an address: one connection that is made and closed, and nothing sent. */
import { connect } from 'node:net';
import { placeOf } from '@folkmoot/core';
import { multiaddr } from '@multiformats/multiaddr';

/** IP address and port of a TCP multiaddr that goes through no relay; `undefined` for any other. */
export function endpointOf(address: string): { host: string; port: number } | undefined {
  try {
    const [ip, tcp, ...rest] = multiaddr(address).getComponents();
    if ((ip?.name !== 'ip4' && ip?.name !== 'ip6') || tcp?.name !== 'tcp') return undefined;
    if (rest.some(({ name }) => name !== 'p2p')) return undefined;
    return { host: ip.value!, port: Number(tcp.value) };
  } catch {
    return undefined;
  }
}

/** Resolves to whether a connection could be made; false for what is no endpoint at `place`, if that is given. */
export async function probe(address: string, timeoutMs: number, place?: string): Promise<boolean> {
  const endpoint = endpointOf(address);
  if (!endpoint || (place !== undefined && placeOf(endpoint.host) !== place)) return false;
  return new Promise((resolve) => {
    const socket = connect({ ...endpoint, timeout: timeoutMs });
    const finish = (answers: boolean) => {
      socket.destroy();
      resolve(answers);
    };
    socket.on('connect', () => finish(true));
    socket.on('timeout', () => finish(false));
    socket.on('error', () => finish(false));
  });
}
