/** The command line's frame: global options, the commands, and nothing that is slow to load. */
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { commands } from './commands/index.ts';
import { defaultHome } from './home.ts';

/** A file of `commands/` exports this: it adds its command, and imports what is heavy only inside the action. */
export type Register = (program: Command) => void;

/** The whole command line, ready to parse. It throws `CommanderError` where the usage is wrong, and never exits. */
export function buildProgram(): Command {
  const program = new Command('folkmoot')
    .description('Train a language model together with people you need not trust.')
    .version(version(), '--version', 'print the version')
    .addOption(
      new Option('--home <dir>', 'where this member keeps its keys, its log and its store')
        .env('FOLKMOOT_HOME')
        .default(defaultHome()),
    )
    .option('--json', 'print one JSON object per line on stdout')
    .option('--yes', 'answer every question with yes')
    .option('--no-color', 'plain text (the same as NO_COLOR=1)')
    .helpOption('-h, --help', 'explain a command')
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    // Failures are printed in one place, in one form: failure.ts.
    .configureOutput({ outputError: () => {} })
    .addHelpText('after', examples)
    .addHelpText('afterAll', exitStatus);
  // Subcommands inherit what stands above, so they come last.
  for (const register of commands) register(program);
  return program;
}

const examples = `
Examples:
  folkmoot up                            train a small model among three members on this machine
  folkmoot up --cheater free-rider       the same, with a member that only pretends to work
  folkmoot replay --random               run a segment of somebody's work again and compare the bits
  folkmoot generate "Once upon a time"   ask the model

"folkmoot COMMAND --help" explains a command.`;

/** Of every command; what is special to one stands in its own help. */
const exitStatus = `
Exit status: 0 done, or ended with Ctrl+C where it would have gone on; 1 it failed, and stderr says why; 2 wrong usage;
130 interrupted before it was done.`;

function version(): string {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;
}
