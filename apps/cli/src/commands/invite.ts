/** `invite`: the line with which others join. */
import type { Command } from 'commander';
import { action, type Invocation } from '../invocation.ts';
import { addRunOption, type RunOptions } from './run-options.ts';

export function register(program: Command): void {
  addRunOption(program.command('invite'))
    .description('print the line with which others join the run')
    .addHelpText(
      'after',
      '\nA member must be running at one of the addresses in it when it is used.\n\nExamples:\n  folkmoot invite\n  folkmoot --home ~/second join "$(folkmoot invite)"',
    )
    .action(action(invite));
}

async function invite(call: Invocation, options: RunOptions): Promise<void> {
  const { openRun } = await import('../story/open-run.ts');
  const { Story } = await import('../story/story.ts');
  const { inviteTo } = await import('../story/invite-line.ts');
  const story = await Story.read(await openRun(call.home, options.run));
  const line = await inviteTo(story);
  call.object({ run: story.state.run, name: story.run.charter.name, ...line });
  call.say(line.invite);
}
