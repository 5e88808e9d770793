/** `log`: the run's log in words, one line for each entry. */
import { type Command, Option } from 'commander';
import { action, type Invocation } from '../invocation.ts';
import { kindsHelp } from './record-kinds.ts';
import { addRunOption, type RunOptions } from './run-options.ts';

interface LogOptions extends RunOptions {
  readonly follow?: boolean;
  readonly kind?: string;
  readonly member?: string;
  readonly round?: string;
  readonly last?: string;
  readonly headers?: string | true;
}

export function register(program: Command): void {
  addRunOption(program.command('log'))
    .description('print the log: who said what, when, and what it brought about')
    .option('-f, --follow', 'go on printing what is added, until Ctrl+C')
    .option('--kind <kinds>', 'only these kinds of record (below), separated by commas: commit,verdict')
    .option('--member <name>', 'only what this member said or what concerns it: a name, or the first digits of an id')
    .option('--round <n>', 'only records of this round')
    .option('--last <n>', 'only the last n of what is left')
    .addOption(
      new Option(
        '--headers [round]',
        'the chain of headers instead: who has sealed each, in which term, and whether its certificate holds; with a round or the first digits of an id, that one in full',
      ).conflicts(['follow', 'kind', 'member', 'round']),
    )
    .addHelpText('after', examples)
    .action(action(log));
}

const examples = `
Kinds of record:
${kindsHelp}

Examples:
  folkmoot log --last 20
  folkmoot log --follow --kind verdict,dispute
  folkmoot log --member ben --round 3 --json
  folkmoot log --headers
  folkmoot log --headers 3`;

async function log(call: Invocation, options: LogOptions): Promise<void> {
  if (options.headers !== undefined) {
    const { parseCount } = await import('../run/take-part.ts');
    const { printHeaders } = await import('../story/print-headers.ts');
    const last = options.last === undefined ? undefined : parseCount('--last', options.last);
    return printHeaders(call, {
      run: options.run,
      which: options.headers === true ? undefined : options.headers,
      last,
    });
  }
  const { printLog } = await import('../story/print-log.ts');
  await printLog(call, options);
}
