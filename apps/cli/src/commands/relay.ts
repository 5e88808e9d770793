/** `relay`: a meeting place for members behind routers; no member itself. */
import type { Command } from 'commander';
import { action, type Invocation } from '../invocation.ts';

export interface RelayCommandOptions {
  readonly listen: string;
  readonly port: string;
  readonly announce?: string[];
  readonly dataLimit: string;
  readonly timeLimit: string;
  readonly places: string;
}

export function register(program: Command): void {
  program
    .command('relay')
    .description('be a meeting place for members behind routers, on a machine that the internet reaches')
    .option('--listen <address>', 'address to listen at', '0.0.0.0')
    .option('--port <n>', 'port to listen at', '4801')
    .option('--announce <multiaddr...>', 'where others reach this machine, behind a router that forwards a port')
    .option('--data-limit <size>', 'what one connection may carry; from 1MiB on artifacts go through it too', '128KiB')
    .option('--time-limit <time>', 'how long one connection may last', '2m')
    .option('--places <n>', 'members that may wait here to be reached', '32')
    .addHelpText('after', examples)
    .action(action(relay));
}

const examples = `
Members meet through a relay and then connect directly where their routers allow it. It sees who talks to whom, and nothing
of what they say. Members with a public address relay for others by themselves, within the same limits.

Examples:
  folkmoot relay
  folkmoot create --data ~/notes --relay /ip4/203.0.113.7/tcp/4801/p2p/12D3…`;

async function relay(call: Invocation, options: RelayCommandOptions): Promise<void> {
  const { runRelay } = await import('../run/run-relay.ts');
  await runRelay(call, options);
}
