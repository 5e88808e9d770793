/** `evaluate`: how well the model predicts held-out text, as a score that anybody can measure again. */
import { type Command, Option } from 'commander';
import { action, type Invocation } from '../invocation.ts';
import { addRunOption, type RunOptions } from './run-options.ts';

export interface EvaluateOptions extends RunOptions {
  readonly base?: string;
  readonly round?: string;
  readonly rows?: string;
  readonly engine?: 'native' | 'exact' | 'webgpu';
  readonly to?: string;
  readonly check?: string;
}

export function register(program: Command): void {
  addRunOption(program.command('evaluate'))
    .description('perplexity and bits per byte of a base on held-out text; or check somebody’s score')
    .option('--round <n>', 'the model as it was after this round (default: the newest)')
    .option('--base <id>', 'the model of this base, by the first digits of its id')
    .option('--rows <n>', 'held-out rows, spread evenly over all (default: as many as hold 65,536 tokens)')
    .addOption(new Option('--engine <kind>', 'default: the run’s').choices(['native', 'exact', 'webgpu']))
    .option('--to <file>', 'write the score, row by row, for others to check')
    .addOption(
      new Option('--check <file>', 'measure a score again and compare').conflicts([
        'round',
        'base',
        'rows',
        'to',
        'run',
      ]),
    )
    .addHelpText('after', examples)
    .action(action(evaluate));
}

const examples = `
A score names the run, the base, the program, the rows and the engine, so measuring it again is one command. What this
home lacks is fetched from members that are running. It ends with 3 where a checked score does not hold.

Examples:
  folkmoot evaluate
  folkmoot evaluate --round 2 --rows 64 --to score.json
  folkmoot evaluate --check score.json`;

async function evaluate(call: Invocation, options: EvaluateOptions): Promise<void> {
  const { runEvaluate } = await import('../story/run-evaluate.ts');
  await runEvaluate(call, options);
}
