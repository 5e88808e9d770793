/** `status`: where a run stands, as this home knows it. */
import type { Command } from 'commander';
import { action, type Invocation } from '../invocation.ts';
import { addRunOption, type RunOptions } from './run-options.ts';

interface StatusOptions extends RunOptions {
  readonly all?: boolean;
}

export function register(program: Command): void {
  addRunOption(program.command('status'))
    .description('show where the run stands: round, members, audits, credits, invite')
    .option('--all', 'list all runs of this home')
    .addHelpText(
      'after',
      '\nExamples:\n  folkmoot status\n  folkmoot status --all\n  folkmoot status --run 3f9a --json',
    )
    .action(action(status));
}

async function status(call: Invocation, options: StatusOptions): Promise<void> {
  if (options.all) {
    const { listStatus } = await import('../story/run-list.ts');
    return listStatus(call);
  }
  const { readStatus, statusLines } = await import('../story/run-status.ts');
  const { openRun } = await import('../story/open-run.ts');
  const report = await readStatus(await openRun(call.home, options.run));
  call.object(report);
  for (const line of statusLines(report, call.color)) call.say(line);
}
