/** `relay` in full: a node that serves nothing but connections between others. */
import { formatBytes } from '@folkmoot/core';
import type { RelayCommandOptions } from '../commands/relay.ts';
import type { Invocation } from '../invocation.ts';
import { parseHost, parsePort } from './door.ts';
import { loopbackLast } from './loopback-last.ts';
import { openHome } from './session.ts';
import { parseCount, parseDuration, parseSize } from './take-part.ts';

/** Until Ctrl+C. Throws `home-in-use` where a member of this home runs: both would be one device. */
export async function runRelay(call: Invocation, options: RelayCommandOptions): Promise<void> {
  const signal = call.stopSignal();
  const relays = {
    bytes: parseSize(options.dataLimit),
    durationMs: parseDuration(options.timeLimit),
    reservations: parseCount('--places', options.places),
  };
  const { network, release } = await openHome({
    home: call.home,
    host: parseHost(options.listen),
    port: parsePort('--port', options.port),
    announce: options.announce,
    reach: { relays },
  });
  try {
    const addresses = loopbackLast(network.addresses());
    call.object({ type: 'started', device: network.self, addresses, limits: relays });
    call.note(`relaying ${formatBytes(relays.bytes)} a connection for ${relays.reservations} members; Ctrl+C ends`);
    call.say('Members use it with --relay and one of:');
    for (const address of addresses) call.say(`  ${address}`);
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  } finally {
    await network.close();
    await release();
  }
}
