/** `fuzz`: feeds everything that reads strangers' bytes with nearly right inputs. */
import type { Command } from 'commander';
import { action } from '../invocation.ts';

export function register(program: Command): void {
  program
    .command('fuzz [targets...]')
    .description('feed readers of strangers’ bytes with nearly right inputs: nothing may crash, hang or take memory')
    .option('--inputs <count>', 'inputs for each target', '100000')
    .option('--seed <text>', 'another seed makes other inputs', 'folkmoot')
    .option('--guided', 'keep and change inputs that reach new code (slower; a finding is kept as a file)')
    .option('--from <index>', 'begin at this input, to see a finding again', '0')
    .addHelpText('after', examples)
    .action(action(fuzz));
}

const examples = `
Examples:
  folkmoot fuzz
  folkmoot fuzz record reducer --inputs 2000000
  folkmoot fuzz charter --guided
  folkmoot fuzz program --seed monday --from 4711 --inputs 1`;

async function fuzz(...args: Parameters<typeof import('../run-fuzz.ts').runFuzz>): Promise<void> {
  const { runFuzz } = await import('../run-fuzz.ts');
  await runFuzz(...args);
}
