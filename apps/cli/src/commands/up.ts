/** `up`: a whole network on this machine: trains, audits, credits, answers. */
import type { Command } from 'commander';
import { action, type Invocation } from '../invocation.ts';
import { addCharterOptions, addMemberOptions, type CharterOptions, type MemberOptions } from './member-options.ts';

export interface UpOptions extends MemberOptions, CharterOptions {
  readonly members: string;
  readonly cheater?: string[];
  readonly prompt: string;
  readonly fresh?: boolean;
}

export function register(program: Command): void {
  const command = program
    .command('up')
    .description(
      'start a network on this machine: members train, audit each other, earn credits; then the model answers',
    );
  addMemberOptions(addCharterOptions(command))
    .option('--members <n>', 'honest members, each a process with its own home, keys, store and port', '3')
    .option(
      '--cheater <kind...>',
      'add members that misbehave, such as free-rider, poisoner, lazy-auditor (a wrong name lists all)',
    )
    .option('--prompt <text>', 'what the model continues in the end', 'The ')
    .option('--fresh', 'found a new run even if this command has one here')
    .addHelpText('after', examples)
    .action(action(up));
}

const examples = `
Without --rounds or --for it trains for 12 rounds. Without --exit the members stay afterwards, so that others can join,
fetch and replay; Ctrl+C leaves. The same command goes on with its run after a crash or a reboot.

Examples:
  folkmoot up
  folkmoot up --preset tiny --cheater free-rider --rounds 8 --exit --json
  folkmoot up --preset small --for 30m --data ~/notes`;

async function up(call: Invocation, options: UpOptions): Promise<void> {
  const { runNetwork } = await import('../run/local-network.ts');
  await runNetwork(call, options);
}
