/** Reaching a peer by its address, and making sure that it is the one meant. */
import { peerUnreachable, WorldError } from '@folkmoot/core';
import type { Connection } from '@libp2p/interface';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import type { Libp2p } from 'libp2p';

/**
 * Connects to `address`, a multiaddr with or without `/p2p/…`.
 *
 * Throws `peer-unreachable`; where somebody else answers than `/p2p/…` says, the reason tells so.
 */
export async function dial(
  libp2p: Libp2p,
  address: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Connection> {
  signal?.throwIfAborted();
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const target = parse(address);
    const connection = await libp2p.dial(target, { signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
    if (connection.remotePeer.equals(libp2p.peerId)) {
      connection.abort(new Error('dialled ourselves'));
      throw peerUnreachable(address, 'the address is that of this device');
    }
    return connection;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof WorldError) throw error;
    throw peerUnreachable(address, timeout.aborted ? `no answer in ${timeoutMs} ms` : reasonOf(error), error);
  }
}

function parse(address: string): Multiaddr {
  try {
    return multiaddr(address);
  } catch (error) {
    throw peerUnreachable(address, 'the address is not a multiaddr such as /ip4/192.0.2.1/tcp/4801', error);
  }
}

/** What a person can use of libp2p's failures: names and system errors, wherever they are nested. */
function reasonOf(error: unknown): string {
  const all = flatten(error);
  const has = (text: string) =>
    all.some(({ name, message, code }) => name === text || code === text || message.includes(text));
  if (has('UnexpectedPeerError') || has('does not match expected remote identity key'))
    return 'a foreign key answers there: another node has this address now';
  if (has('Can not dial self')) return 'the address is that of this device';
  if (has('ConnectionInterceptedError')) return 'its key is not that of a device';
  if (has('ECONNREFUSED')) return 'nothing listens there';
  if (has('EHOSTUNREACH') || has('ENETUNREACH')) return 'there is no route to it';
  if (has('ENOTFOUND') || has('EAI_AGAIN')) return 'its name is not known';
  if (has('ECONNRESET') || has('EncryptionFailedError')) return 'the other side closed the connection; it may be full';
  if (has('NoValidAddressesError')) return 'the address cannot be dialled; only TCP can';
  return 'the connection failed';
}

function flatten(error: unknown): { name: string; message: string; code: string }[] {
  if (!(error instanceof Error)) return [];
  const nested = error instanceof AggregateError ? error.errors : [];
  const code = 'code' in error ? String(error.code) : '';
  return [{ name: error.name, message: error.message, code }, ...[...nested, error.cause].flatMap(flatten)];
}
