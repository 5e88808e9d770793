/** `export`: the model as a Hugging Face folder. */
import type { Command } from 'commander';
import { action, type Invocation } from '../invocation.ts';
import { addRunOption, type RunOptions } from './run-options.ts';

export interface ExportOptions extends RunOptions {
  readonly to: string;
  readonly force?: boolean;
}

export function register(program: Command): void {
  addRunOption(program.command('export'))
    .description('write the model as a Hugging Face folder, with a card of its lineage and credits')
    .requiredOption('--to <dir>', 'a new or empty folder')
    .option('--force', 'replace files of the same name in a folder that is not empty')
    .addHelpText('after', '\nExamples:\n  folkmoot export --to ./model\n  folkmoot export --to ./model --force --json')
    .action(action(exportModel));
}

async function exportModel(call: Invocation, options: ExportOptions): Promise<void> {
  const { runExport } = await import('../story/run-export.ts');
  await runExport(call, options);
}
