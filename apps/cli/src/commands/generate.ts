/** `generate`: the run's model continues a prompt. */
import type { Command } from 'commander';
import { action, type Invocation } from '../invocation.ts';
import { addRunOption, type RunOptions } from './run-options.ts';

export interface GenerateOptions extends RunOptions {
  readonly maxTokens: string;
  readonly temperature: string;
  readonly topK: string;
  readonly topP: string;
  readonly seed?: string;
  readonly base?: string;
  readonly round?: string;
}

export function register(program: Command): void {
  addRunOption(program.command('generate [prompt]'))
    .description('let the model continue a prompt; without one it begins a new document')
    .option('--max-tokens <n>', 'length of the continuation', '64')
    .option('--temperature <t>', '0 for the likeliest tokens, up to 10 for chance', '0.8')
    .option('--top-k <k>', 'only the k likeliest tokens; 0 for all', '40')
    .option('--top-p <p>', 'only the likeliest tokens that together have this probability', '0.95')
    .option('--seed <text>', 'the same seed gives the same text (default: a new one each time)')
    .option('--round <n>', 'the model as it was after this round (default: the newest)')
    .option('--base <id>', 'the model of this base, by the first digits of its id')
    .addHelpText('after', examples)
    .action(action(generate));
}

const examples = `
Examples:
  folkmoot generate "Once upon a time"
  folkmoot generate "The network" --temperature 0 --max-tokens 20
  folkmoot generate "The network" --round 1 --seed 7 --json`;

async function generate(call: Invocation, options: GenerateOptions, prompt = ''): Promise<void> {
  const { runGenerate } = await import('../story/run-generate.ts');
  await runGenerate(call, options, prompt);
}
