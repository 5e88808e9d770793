/** `doctor`: what this machine can do in a run, and what to do where it cannot. */
import type { Command } from 'commander';
import { action, type Invocation } from '../invocation.ts';

export function register(program: Command): void {
  program
    .command('doctor')
    .description('tell what this machine can do: engines, memory, expected speed, and what to mend')
    .option('--network', 'examine how others reach this machine instead: doors, routers, relays, clocks')
    .option('--invite <line>', 'with --network: try the doors of this invite (default: those of the last run here)')
    .option('--port <n>', 'with --network: the port that a member would listen at (default: that of the last run here)')
    .option('--upnp', 'with --network: ask the router for a port, and give it back')
    .addHelpText(
      'after',
      '\nMeasures for about a second. Exit status: 0 a member can run here, 1 not yet.\n\nExamples:\n  folkmoot doctor\n  folkmoot doctor --json\n  folkmoot doctor --network --invite folkmoot1-…',
    )
    .action(action(doctor));
}

export interface DoctorOptions {
  readonly network?: boolean;
  readonly invite?: string;
  readonly port?: string;
  readonly upnp?: boolean;
}

async function doctor(call: Invocation, options: DoctorOptions): Promise<void> {
  if (options.network) {
    const { runNetworkDoctor } = await import('../doctor/network-doctor.ts');
    return runNetworkDoctor(call, options);
  }
  const { runDoctor } = await import('../doctor/run-doctor.ts');
  await runDoctor(call);
}
