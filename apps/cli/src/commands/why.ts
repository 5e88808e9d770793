/** `why`: what a member earned and on what evidence; how a round went; what became of a record; whether a proof holds. */
import type { Command } from 'commander';
import { action, type Invocation } from '../invocation.ts';
import { addRunOption, type RunOptions } from './run-options.ts';

interface WhyOptions extends RunOptions {
  readonly proof?: string;
  readonly by?: string;
}

export function register(program: Command): void {
  const command = addRunOption(program.command('why [what]'))
    .description('explain credit: a member, a round, or a record by the first digits of its id; or check a proof')
    .option('--proof <file>', 'whether two signed statements in this file contradict each other; needs no run')
    .option('--by <device>', 'with --proof: who is said to have signed the log entries in it')
    .addHelpText('after', examples);
  command.action(
    action(async (call: Invocation, options: WhyOptions, what: string | undefined) => {
      if ((what === undefined) === (options.proof === undefined))
        command.error('error: give what is to be explained, or --proof with a file');
      await why(call, options, what);
    }),
  );
}

const examples = `
A member is named by its name, or by four or more of the first digits of its device or account; a round by its number;
a record, an entry, a header or an artifact by six or more of the first digits of its id.

A proof is two statements that one device has signed and no honest one signs both: two log entries at one place, two
headers after one. Whoever has the file can check it, member or not; the command fails where it proves nothing.

Examples:
  folkmoot why ben
  folkmoot why 3
  folkmoot why 5d1f0c2a9b --json
  folkmoot why --proof fork-1f0a6b7c8d9e0f1a`;

async function why(call: Invocation, options: WhyOptions, what: string | undefined): Promise<void> {
  const explanation = await explain(call, options, what);
  call.object(explanation.facts);
  for (const line of explanation.lines) call.say(line);
}

async function explain(call: Invocation, options: WhyOptions, what: string | undefined) {
  if (what === undefined) {
    const { explainProof } = await import('../story/proof.ts');
    return explainProof(call.home, options.proof!, options.by);
  }
  const { openRun } = await import('../story/open-run.ts');
  const { Story } = await import('../story/story.ts');
  const { explainSubject } = await import('../story/subject.ts');
  return explainSubject(await Story.read(await openRun(call.home, options.run)), what);
}
