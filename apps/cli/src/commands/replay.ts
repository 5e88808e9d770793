/** `replay`: runs a segment of somebody's work again and compares. */
import { type Command, Option } from 'commander';
import { action, type Invocation } from '../invocation.ts';
import { addRunOption, type RunOptions } from './run-options.ts';

export interface ReplayOptions extends RunOptions {
  readonly round?: string;
  readonly segment?: string;
  readonly member?: string;
  readonly random?: boolean;
  readonly engine?: 'native' | 'exact' | 'webgpu';
  readonly export?: string;
  readonly force?: boolean;
}

export function register(program: Command): void {
  addRunOption(program.command('replay'))
    .description('re-execute a segment of somebody’s training and compare the bits')
    .option('--round <n>', 'a segment of this round')
    .option('--segment <k>', 'this segment, from 1')
    .option('--member <name>', 'a segment of this member: a name, or the first digits of an id')
    .option('--random', 'any that can be replayed (also the default among those that fit)')
    .addOption(
      new Option(
        '--engine <kind>',
        'another engine than the run’s: its bits differ, so the distance is measured',
      ).choices(['native', 'exact', 'webgpu']),
    )
    .option('--export <dir>', 'also write the folder that examples/check_segment.py reads')
    .option('--force', 'export into a folder that is not empty')
    .addHelpText('after', examples)
    .action(action(replay));
}

const examples = `
Only segments that were opened for an audit can be replayed by others, and whole rounds that started from zeros. What
this home lacks is fetched from members that are running. It ends with 3 where the claim does not hold.

Examples:
  folkmoot replay --random
  folkmoot replay --round 2 --member ben --engine exact
  folkmoot replay --round 2 --segment 3 --export /tmp/segment && python3 examples/check_segment.py /tmp/segment`;

async function replay(call: Invocation, options: ReplayOptions): Promise<void> {
  const { runReplay } = await import('../story/run-replay.ts');
  await runReplay(call, options);
}
