/** `chaos`: real members on this machine, killed, stopped, cut off and delayed, and what must hold all the same. */
import type { Command } from 'commander';
import { action } from '../invocation.ts';

export interface ChaosCommandOptions {
  readonly members: string;
  readonly for: string;
  readonly seed: string;
  readonly only?: string[];
  readonly founderDies?: boolean;
}

export function register(program: Command): void {
  program
    .command('chaos')
    .description('real members on this machine are killed, stopped, cut off and delayed: the run must go on')
    .option('--members <n>', 'members, 3 to 10, each a process with its own home (and network namespace, as root)', '5')
    .option('--for <time>', 'how long blows fall: 90s, 5m, 8h', '3m')
    .option('--seed <text>', 'another seed deals other blows', 'folkmoot')
    .option('--only <blow...>', 'only these: kill, pause, partition, one-way, delay')
    .option('--founder-dies', 'the founder is killed after half of the time and does not come back')
    .addHelpText('after', examples)
    .action(action(chaos));
}

const examples = `
At most one blow at a time, on less than a third of the members. It fails where no round ends within twice the charter's
deadline for a round, where two members have different headers of a round, where somebody honest is held to have cheated,
and where a member does not come back after the last blow.

Examples:
  folkmoot chaos
  folkmoot chaos --for 8h --members 7 --founder-dies
  folkmoot chaos --only kill pause --seed monday --json`;

async function chaos(...args: Parameters<typeof import('../run-chaos.ts').runChaos>): Promise<void> {
  const { runChaos } = await import('../run-chaos.ts');
  await runChaos(...args);
}
