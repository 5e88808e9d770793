/** `join`: enter a run by its invite, or go on with it after a restart. */
import { type Command, Option } from 'commander';
import { action, type Invocation } from '../invocation.ts';
import { addListenOptions, addMemberOptions, type ListenOptions, type MemberOptions } from './member-options.ts';

interface JoinOptions extends MemberOptions, ListenOptions {
  readonly engine?: 'native' | 'exact' | 'webgpu';
  readonly cheater?: string;
  readonly evaluate?: boolean;
  readonly vouch?: string;
}

export function register(program: Command): void {
  const command = program.command('join <invite>').description('enter a run: train, witness, audit and earn credits');
  addListenOptions(addMemberOptions(command))
    .addOption(new Option('--engine <kind>', 'another engine than the run’s').choices(['native', 'exact', 'webgpu']))
    .option(
      '--vouch <line>',
      'take part for an account whose key is on another machine, which printed this with "keys add"',
    )
    .option('--no-evaluate', 'do not measure the hold-out loss of every base')
    .addOption(
      new Option('--cheater <kind>', 'misbehave on purpose, such as free-rider, poisoner, lazy-auditor').hideHelp(),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  folkmoot join folkmoot1-…\n  folkmoot join folkmoot1-… --rounds 20 --exit --json\n\nThe same command goes on after a crash or a reboot.',
    )
    .action(action(join));
}

async function join(call: Invocation, options: JoinOptions, inviteText: string): Promise<void> {
  const { parseInvite } = await import('@folkmoot/records');
  const { checkTicket, vouchedOf } = await import('../run/entering.ts');
  const { partOf, takePartIn } = await import('../run/participation.ts');
  const invite = parseInvite(inviteText);
  checkTicket(invite, Date.now());
  await takePartIn(call, partOf(options), {
    run: invite.run,
    name: invite.name,
    doors: invite.addresses,
    header: invite.header,
    ticket: invite.ticket,
    mirrors: invite.mirrors,
    vouched: await vouchedOf(call.home, options.vouch, invite.run),
    command: `join ${invite.run}`,
  });
}
