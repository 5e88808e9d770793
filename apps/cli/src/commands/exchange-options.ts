/** Options of `create` and `up` for what members tell each other, and what is made of it. */
import { type Command, Option } from 'commander';

/** As typed; the charter's ranges are checked when they are put together. */
export interface ExchangeOptions {
  readonly codec?: 'dense' | 'sparse';
  readonly keep?: string;
  readonly outerRate?: string;
  readonly outerMomentum?: string;
}

export function addExchangeOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--codec <kind>', 'how updates are compressed (default: the preset’s)').choices(['dense', 'sparse']),
    )
    .option('--keep <n>', 'how many of 4096 changes a sparse update says, 1 to 128 (default: the preset’s)')
    .option('--outer-rate <x>', 'how far the model follows the members’ mean update (default: the preset’s)')
    .option(
      '--outer-momentum <x>',
      'how far a round starts along the last one’s change (Nesterov), below 1; 0 for none (default: the preset’s for its codec)',
    );
}
