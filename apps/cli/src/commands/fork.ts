/** `fork`: found a run that goes on from a header of another, with its lineage and its credits. */
import { type Command, Option } from 'commander';
import { action, type Invocation } from '../invocation.ts';
import type { ForkOptions } from '../run/forking.ts';
import { addListenOptions, addMemberOptions, addRulesOptions } from './member-options.ts';

export function register(program: Command): void {
  const command = program
    .command('fork')
    .description('found a run that goes on from a finished round of another, whose credits it carries; then take part')
    .option('--at <round>', 'a finished round, or the first digits of its header (default: the last one)')
    .option('--run <id>', 'which run of this home: an id or its first digits (default: the last one)')
    .addOption(
      new Option('--invite <line>', 'a run that this home does not take part in: it is fetched first').conflicts('run'),
    )
    .option('--to <folder>', 'the fork’s home (default: a folder beside this home, named after the run)')
    .option('--run-name <name>', 'what the fork is called (default: as its parent)')
    .addOption(
      new Option('--admission <kind>', 'who may join (default: as in the parent; see "create --help")').choices([
        'open',
        'invite',
        'list',
      ]),
    )
    .option('--allow <account...>', 'accounts of the list')
    .option('--member-invites <n>', 'accounts that each member with verified work may let in', '5')
    .option('--min-members <n>', 'members that must be ready before the first round (default: the parent’s)');
  addMemberOptions(addListenOptions(addRulesOptions(command, { rules: 'the parent’s', data: 'the parent’s' })))
    .option('--fresh', 'found a new fork even if this command founded one before')
    .addHelpText('after', examples)
    .action(action(fork));
}

const examples = `
Model, tokenizer, licence and base are the parent's. Its share policy says what a fork carries of everybody's credits: whoever
claims the lineage and carries less is refused by all who would join. The parent goes on as before, in its own home; the
fork's home has the same account, and a device of its own.

Examples:
  folkmoot fork                              # from the last finished round
  folkmoot fork --at 12 --to ~/our-fork --run-name our-way
  folkmoot fork --at 12 --data ~/poems --learning-rate 0.001
  folkmoot fork --invite folkmoot1-… --yes --rounds 50 --exit --json

The same command goes on with its fork after a crash or a reboot.`;

async function fork(call: Invocation, options: ForkOptions): Promise<void> {
  const { forkOrResume } = await import('../run/forking.ts');
  const { partOf, takePartIn } = await import('../run/participation.ts');
  const part = partOf(options);
  const { there, open, entrance } = await forkOrResume(call, options);
  there.note(`its home is ${there.home}: name it with --home in further commands`);
  await takePartIn(there, part, entrance, open);
}
