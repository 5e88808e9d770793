/** Options of `create` and `up` for how the run learns: optimizer, learning rate and what becomes of it. */
import { type Command, Option } from 'commander';

/** As typed; the charter's ranges are checked when they are put together. */
export interface OptimizerOptions {
  readonly optimizer?: 'adamw' | 'muon';
  readonly learningRate?: string;
  readonly weightDecay?: string;
  /** False after `--no-embedding-decay`. */
  readonly embeddingDecay?: boolean;
  readonly zLoss?: string;
  readonly warmupSteps?: string;
  readonly schedule?: 'constant' | 'cosine' | 'wsd';
  readonly plannedRounds?: string;
  readonly decayRounds?: string;
  readonly decayShape?: 'linear' | 'sqrt';
  readonly finalRate?: string;
}

export function addOptimizerOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--optimizer <kind>',
        'adamw, or muon for the matrices and adamw for the rest (default: the preset’s)',
      ).choices(['adamw', 'muon']),
    )
    .option(
      '--learning-rate <x>',
      'highest rate, such as 0.001; the same suits both optimizers (default: the preset’s)',
    )
    .option('--weight-decay <x>', 'what matrices lose in a step, in learning rates (default: the preset’s)')
    .option('--no-embedding-decay', 'embedding and head do not decay; norms never do')
    .option('--z-loss <x>', 'weight of a loss that keeps logits small, such as 0.0001 (default: the preset’s)')
    .option('--warmup-steps <n>', 'inner steps over which the rate rises from zero (default: the preset’s)')
    .addOption(
      new Option(
        '--schedule <kind>',
        'the rate after the warm-up: constant, cosine, or wsd, which is constant and falls at the end (default: the preset’s)',
      ).choices(['constant', 'cosine', 'wsd']),
    )
    .option('--planned-rounds <n>', 'length of a cosine or wsd schedule; beyond it the rate stays (default: --rounds)')
    .option('--decay-rounds <n>', 'rounds at the end of wsd in which the rate falls (default: a fifth of all)')
    .addOption(new Option('--decay-shape <kind>', 'how it falls in wsd (default: sqrt)').choices(['sqrt', 'linear']))
    .option('--final-rate <part>', 'part of the rate that is left in the end, above 0 (default: 0.1)');
}
