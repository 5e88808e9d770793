import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWorldError } from '@folkmoot/core';
import { exchangeRules, RUN_PRESETS } from '@folkmoot/node';
import type { ExchangeOptions } from '../commands/exchange-options.ts';
import { exchangeOf } from './exchange-of.ts';

const DENSE = exchangeRules('dense');
const SPARSE = exchangeRules('sparse');

test('without options the preset is as it was; another codec comes with its own aggregator', () => {
  for (const preset of Object.values(RUN_PRESETS))
    assert.deepEqual(exchangeOf(preset, {}), { codec: preset.codec, aggregator: preset.aggregator });
  assert.deepEqual(exchangeOf(DENSE, { codec: 'dense' }), DENSE);
  assert.deepEqual(exchangeOf(DENSE, { codec: 'sparse' }), SPARSE);
  assert.deepEqual(exchangeOf(SPARSE, { codec: 'dense' }), DENSE);
});

test('rate and momentum are what was typed, and a momentum of 0 is none', () => {
  const plain = { kind: 'clipped-mean', outerRate: '1' } as const;
  assert.deepEqual(exchangeOf(DENSE, { outerRate: '1', outerMomentum: '0' }).aggregator, plain);
  assert.deepEqual(exchangeOf(SPARSE, { outerMomentum: '0.9' }).aggregator, { ...plain, momentum: '0.9' });
  assert.equal(exchangeOf(SPARSE, { outerRate: '0.5' }).aggregator.outerRate, '0.5');
});

test('a sparse update says as much as was typed', () => {
  const { codec } = exchangeOf(SPARSE, { keep: '38' });
  assert.deepEqual(codec, { ...SPARSE.codec, keep: 38 });
});

test('what makes no run is refused', () => {
  const cases: [ExchangeOptions, string, RegExp][] = [
    [{ outerMomentum: '1' }, 'exchange-invalid', /momentum/],
    [{ outerMomentum: '-0.5' }, 'exchange-invalid', /momentum/],
    [{ outerRate: '1e-3' }, 'exchange-invalid', /outerRate/],
    [{ keep: '38' }, 'exchange-invalid', /--keep/],
    [{ codec: 'sparse', keep: '129' }, 'exchange-invalid', /keep/],
    [{ codec: 'sparse', keep: 'all' }, 'bad-number', /--keep/],
  ];
  for (const [options, code, message] of cases)
    assert.throws(
      () => exchangeOf(DENSE, options),
      (error) => isWorldError(error) && error.code === code && message.test(error.message),
    );
});
