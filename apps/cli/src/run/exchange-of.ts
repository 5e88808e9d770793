/** The charter's codec and aggregator from a preset's and from what was typed. */
import { WorldError } from '@folkmoot/core';
import { exchangeRules, type RunRules } from '@folkmoot/node';
import { brokenAggregator } from '@folkmoot/records';
import type { ExchangeOptions } from '../commands/exchange-options.ts';

type Exchange = Pick<RunRules, 'codec' | 'aggregator'>;

/** The options that make rules, alone. */
export function exchangeOptionsOf({ codec, outerRate, outerMomentum }: ExchangeOptions): ExchangeOptions {
  return { codec, outerRate, outerMomentum };
}

/** Another codec than the preset's comes with its own aggregator. Throws `exchange-invalid`. */
export function exchangeOf(preset: Exchange, { codec: kind, outerRate, outerMomentum }: ExchangeOptions): Exchange {
  const { codec, aggregator } = kind === undefined || kind === preset.codec.kind ? preset : exchangeRules(kind);
  const { momentum: usual, ...plain } = aggregator;
  const momentum = outerMomentum ?? usual;
  const rules = {
    ...plain,
    outerRate: outerRate ?? plain.outerRate,
    ...(momentum !== undefined && Number(momentum) !== 0 && { momentum }),
  };
  const reason = brokenAggregator(rules);
  if (reason === undefined) return { codec, aggregator: rules };
  throw new WorldError('exchange-invalid', `The members cannot go on together like this: ${reason}.`, {
    help: 'Numbers are plain decimals, such as 0.7; the momentum is below 1.',
  });
}
