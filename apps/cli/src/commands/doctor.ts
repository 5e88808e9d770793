/** `doctor`: what this machine can do in a run, and what to do where it cannot. */
import type { Command } from 'commander';
import { action, type Invocation } from '../invocation.ts';

export function register(program: Command): void {
  program
    .command('doctor')
    .description('tell what this machine can do: engines, memory, expected speed, and what to mend')
    .addHelpText(
      'after',
      '\nMeasures for about a second. Exit status: 0 a member can run here, 1 not yet.\n\nExamples:\n  folkmoot doctor\n  folkmoot doctor --json',
    )
    .action(action(doctor));
}

async function doctor(call: Invocation): Promise<void> {
  const { runDoctor } = await import('../doctor/run-doctor.ts');
  await runDoctor(call);
}
