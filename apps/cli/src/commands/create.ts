/** `create`: found a run on your own data and be its first member. */
import type { Command } from 'commander';
import { action, type Invocation } from '../invocation.ts';
import { type AdmissionOptions, addAdmissionOptions } from './admission-options.ts';
import {
  addCharterOptions,
  addListenOptions,
  addMemberOptions,
  type CharterOptions,
  type ListenOptions,
  type MemberOptions,
} from './member-options.ts';

interface CreateOptions extends MemberOptions, ListenOptions, CharterOptions, AdmissionOptions {
  readonly fresh?: boolean;
  readonly minMembers: string;
}

export function register(program: Command): void {
  const command = program
    .command('create')
    .description('found a run: charter, data, tokenizer; then take part and invite others');
  addMemberOptions(addListenOptions(addAdmissionOptions(addCharterOptions(command))))
    .option('--min-members <n>', 'members that must be ready before the first round', '2')
    .option('--fresh', 'found a new run even if this command founded one here before')
    .addHelpText(
      'after',
      '\nExamples:\n  folkmoot create --data ~/notes ~/poems.jsonl --preset small --run-name our-language\n  folkmoot create --data ~/notes --admission invite\n  folkmoot create --yes --rounds 50 --exit --json\n\nThe same command goes on with its run after a crash or a reboot.',
    )
    .action(action(create));
}

async function create(call: Invocation, options: CreateOptions): Promise<void> {
  const { createOrResume } = await import('../run/creation.ts');
  const { partOf, takePartIn } = await import('../run/participation.ts');
  const part = partOf(options);
  const { open, entrance } = await createOrResume(call, options, 'create');
  await takePartIn(call, part, entrance, open);
}
