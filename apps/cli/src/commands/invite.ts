/** `invite`: the line with which others join. */
import type { Command } from 'commander';
import { action, type Invocation } from '../invocation.ts';
import { addRunOption, type RunOptions } from './run-options.ts';

export interface InviteOptions extends RunOptions {
  readonly limit?: string;
  readonly expires?: string;
  readonly for?: string[];
  readonly mirror?: string[];
  readonly tickets?: boolean;
  readonly withdraw?: string;
}

export function register(program: Command): void {
  addRunOption(program.command('invite'))
    .description('print the line with which others join the run')
    .option('--limit <n>', 'accounts that it lets in (runs by invite or list; default: 1)')
    .option('--expires <time>', 'for how long it lets in: 90m, 24h, 7d (runs by invite or list; default: 7d)')
    .option('--for <account...>', 'lets in these accounts only (runs by invite or list)')
    .option('--mirror <url...>', 'HTTP addresses from which artifacts can be had too')
    .option('--tickets', 'list the tickets of your invites that were used or withdrawn')
    .option('--withdraw <ticket>', 'let nobody in any more with this ticket: the id that was printed with the invite')
    .addHelpText('after', examples)
    .action(action(invite));
}

const examples = `
A member must be running at one of the addresses in it when it is used. A run that was created with --admission invite or
list asks newcomers for a ticket, which this command puts into the invite: whoever has the line has the ticket.

Examples:
  folkmoot invite
  folkmoot invite --limit 5 --expires 24h
  folkmoot invite --for 0x1f9840a85d5af5bf1d1762f925bdaddc4201f984
  folkmoot --home ~/second join "$(folkmoot invite)"`;

async function invite(call: Invocation, options: InviteOptions): Promise<void> {
  const { runInvite } = await import('../story/run-invite.ts');
  await runInvite(call, options);
}
