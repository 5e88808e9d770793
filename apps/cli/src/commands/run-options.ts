/** The option that all commands over a run share. */
import type { Command } from 'commander';

export interface RunOptions {
  /** Id of the run or its first digits. */
  readonly run?: string;
}

export function addRunOption(command: Command): Command {
  return command.option('--run <id>', 'which run of this home: an id or its first digits (default: the last one)');
}
