/** `why`: what a member earned and on what evidence; how a round went; what became of a record. */
import type { Command } from 'commander';
import { action, type Invocation } from '../invocation.ts';
import { addRunOption, type RunOptions } from './run-options.ts';

export function register(program: Command): void {
  addRunOption(program.command('why <what>'))
    .description('explain credit: a member, a round, or a record by the first digits of its id')
    .addHelpText('after', examples)
    .action(action(why));
}

const examples = `
A member is named by its name, or by four or more of the first digits of its device or account; a round by its number;
a record, an entry, a header or an artifact by six or more of the first digits of its id.

Examples:
  folkmoot why ben
  folkmoot why 3
  folkmoot why 5d1f0c2a9b --json`;

async function why(call: Invocation, options: RunOptions, what: string): Promise<void> {
  const { openRun } = await import('../story/open-run.ts');
  const { Story } = await import('../story/story.ts');
  const { explainSubject } = await import('../story/subject.ts');
  const explanation = explainSubject(await Story.read(await openRun(call.home, options.run)), what);
  call.object(explanation.facts);
  for (const line of explanation.lines) call.say(line);
}
