/** `mirror`: a run's artifacts as a folder that any web server can serve. */
import type { Command } from 'commander';
import { action, type Invocation } from '../invocation.ts';
import { addRunOption, type RunOptions } from './run-options.ts';

export function register(program: Command): void {
  addRunOption(program.command('mirror <folder>'))
    .description(
      'write the artifacts of a run into a folder that any web server can serve; run it again to bring it up to date',
    )
    .addHelpText('after', examples)
    .action(action(mirror));
}

const examples = `
Members fetch from it what no other member can send them, and check every byte against its name: the server need not be
trusted. Whoever can read the folder can read the run's data.

Examples:
  folkmoot mirror ~/public/our-run
  folkmoot invite --mirror https://example.org/our-run
  folkmoot join folkmoot1-… --mirror https://example.org/our-run`;

async function mirror(call: Invocation, options: RunOptions, folder: string): Promise<void> {
  const { runMirror } = await import('../story/run-mirror.ts');
  await runMirror(call, options.run, folder);
}
