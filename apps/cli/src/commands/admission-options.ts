/** Options of `create` that say who may join. */
import { type Command, Option } from 'commander';

export interface AdmissionOptions {
  readonly admission: 'open' | 'invite' | 'list';
  readonly allow?: string[];
  readonly memberInvites: string;
}

export function addAdmissionOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--admission <kind>',
        'who may join. open: everybody who finds the run; invite: whoever has an invite that you or a member made, as often as it says; list: named accounts',
      )
        .choices(['open', 'invite', 'list'])
        .default('open'),
    )
    .option('--allow <account...>', 'accounts of the list; "folkmoot invite --for ACCOUNT" adds to it later')
    .option(
      '--member-invites <n>',
      'accounts that each member with verified work may let in by invites of its own; 0: only you',
      '5',
    );
}
