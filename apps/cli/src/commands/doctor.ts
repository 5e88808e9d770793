/** `doctor`: what this machine can do in a run, and what to do where it cannot. */
import type { Command } from 'commander';
import { action, type Invocation } from '../invocation.ts';

export function register(program: Command): void {
  program
    .command('doctor')
    .description('tell what this machine can do: engines, memory, expected speed, and what to mend')
    .option('--network', 'examine how others reach this machine instead: doors, routers, relays, clocks')
    .option('--invite <line>', 'try the doors of this invite, as --network (default: those of the last run here)')
    .option('--port <n>', 'the port that a member would listen at, as --network (default: that of the last run here)')
    .option('--upnp', 'ask the router for a port, and give it back, as --network')
    .addHelpText(
      'after',
      '\nMeasures for about a second. It fails where a member cannot run here yet; with --network, where others would not meet it.\n\nExamples:\n  folkmoot doctor\n  folkmoot doctor --json\n  folkmoot doctor --network --invite folkmoot1-…',
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
  // The others say nothing without it.
  if (options.network || options.invite !== undefined || options.port !== undefined || options.upnp) {
    const { runNetworkDoctor } = await import('../doctor/network-doctor.ts');
    return runNetworkDoctor(call, options);
  }
  const { runDoctor } = await import('../doctor/run-doctor.ts');
  await runDoctor(call);
}
