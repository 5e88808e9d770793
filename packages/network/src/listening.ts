/** Taking an address, and saying clearly why it cannot be taken. */
import { WorldError } from '@folkmoot/core';
import { multiaddr } from '@multiformats/multiaddr';
import type { Libp2p } from 'libp2p';

/** Makes a node and starts it at the `listen` addresses. Throws `port-taken`, `address-unavailable`, `address-invalid`. */
export async function startListening(listen: readonly string[], make: () => Promise<Libp2p>): Promise<Libp2p> {
  let libp2p: Libp2p | undefined;
  try {
    libp2p = await make();
    await libp2p.start();
    return libp2p;
  } catch (error) {
    await libp2p?.stop();
    throw explained(listen.join(', '), error);
  }
}

/** Throws `address-invalid` for what others could not dial: libp2p would crash on it later, where nobody waits. */
export function checkAnnounced(addresses: readonly string[]): void {
  for (const address of addresses) {
    try {
      multiaddr(address);
    } catch (cause) {
      throw new WorldError('address-invalid', `Nobody can be told to dial ${address}.`, {
        facts: { address },
        help: 'Give it as /ip4/203.0.113.7/tcp/PORT or /dns4/host.example/tcp/PORT.',
        cause,
      });
    }
  }
}

/** libp2p gives the system's error only as text inside its own. */
function explained(address: string, cause: unknown): unknown {
  const message = cause instanceof Error ? `${cause.name} ${cause.message}` : '';
  const fail = (code: string, sentence: string, help: string) =>
    new WorldError(code, sentence, { facts: { address }, help, cause });
  if (message.includes('EADDRINUSE'))
    return fail('port-taken', `The port of ${address} is taken.`, 'Choose another with --port, or stop what uses it.');
  if (message.includes('EACCES'))
    return fail(
      'port-taken',
      `The system does not give out the port of ${address}.`,
      'Choose one above 1023 with --port.',
    );
  if (message.includes('EADDRNOTAVAIL'))
    return fail(
      'address-unavailable',
      `This machine does not have the address ${address}.`,
      'Listen at 0.0.0.0 or ::.',
    );
  if (/InvalidMultiaddr|UnsupportedListenAddress|multiaddr|protocol/i.test(message))
    return fail('address-invalid', `Nothing can listen at ${address}.`, 'Give it as /ip4/0.0.0.0/tcp/PORT.');
  return cause;
}
