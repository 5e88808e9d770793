/** The batch of an inner step from a preset's and from what was typed. */
import { WorldError } from '@folkmoot/core';
import type { RunRules } from '@folkmoot/node';
import { parseCount } from './take-part.ts';

/** As typed. */
export interface BatchOptions {
  readonly batchRows?: string;
  readonly microRows?: string;
}

/** Throws `batch-invalid`, `bad-number`. */
export function batchOf(
  preset: Pick<RunRules, 'batchRows' | 'microRows'>,
  options: BatchOptions,
): Pick<RunRules, 'batchRows' | 'microRows'> {
  const batchRows = options.batchRows === undefined ? preset.batchRows : parseCount('--batch-rows', options.batchRows);
  const microRows = options.microRows === undefined ? preset.microRows : parseCount('--micro-rows', options.microRows);
  // All rows at once have no micro-batches: one set of rules has one charter.
  if (microRows === undefined || microRows === batchRows) return { batchRows };
  if (batchRows % microRows === 0) return { batchRows, microRows };
  throw new WorldError('batch-invalid', `A batch of ${batchRows} rows cannot be cut into parts of ${microRows}.`, {
    facts: { batchRows, microRows },
    help: 'Give --micro-rows a divisor of the rows of a batch, and --batch-rows another number of them if need be.',
  });
}
