/** Taking an address, and saying clearly why it cannot be taken. */
import { WorldError } from '@folkmoot/core';
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
