/** The charter's codec and aggregator from a preset's and from what was typed. */
import { WorldError } from '@folkmoot/core';
import { exchangeRules, type RunRules } from '@folkmoot/node';
import { brokenExchange } from '@folkmoot/records';
import type { ExchangeOptions } from '../commands/exchange-options.ts';
import { parseCount } from './take-part.ts';

type Exchange = Pick<RunRules, 'codec' | 'aggregator'>;

/** The options that make rules, alone. */
export function exchangeOptionsOf({ codec, keep, outerRate, outerMomentum }: ExchangeOptions): ExchangeOptions {
  return { codec, keep, outerRate, outerMomentum };
}

/** Another codec than the preset's comes with its own aggregator. Throws `exchange-invalid`, `bad-number`. */
export function exchangeOf(preset: Exchange, options: ExchangeOptions): Exchange {
  const { codec: kind = preset.codec.kind, keep } = options;
  const { codec, aggregator } = kind === preset.codec.kind ? preset : exchangeRules(kind);
  if (keep !== undefined && codec.kind === 'dense') throw invalid('--keep is for --codec sparse');
  const rules = {
    codec: keep === undefined ? codec : { ...codec, keep: parseCount('--keep', keep) },
    aggregator: aggregatorOf(aggregator, options),
  } as Exchange;
  const reason = brokenExchange(rules);
  if (reason !== undefined) throw invalid(reason);
  return rules;
}

/** A momentum of 0 is none, and a charter says nothing of it. */
function aggregatorOf(
  { momentum: usual, ...plain }: Exchange['aggregator'],
  { outerRate, outerMomentum }: ExchangeOptions,
): Exchange['aggregator'] {
  const momentum = outerMomentum ?? usual;
  return {
    ...plain,
    outerRate: outerRate ?? plain.outerRate,
    ...(momentum !== undefined && Number(momentum) !== 0 && { momentum }),
  };
}

function invalid(reason: string): WorldError {
  return new WorldError('exchange-invalid', `The members cannot go on together like this: ${reason}.`, {
    help: 'Numbers are plain decimals, such as 0.7; the momentum is below 1.',
  });
}
