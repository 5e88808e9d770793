import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWorldError } from '@folkmoot/core';
import { batchOf } from './batch-of.ts';

test('what was typed goes before the preset; all rows at once are no micro-batches', () => {
  assert.deepEqual(batchOf({ batchRows: 8 }, {}), { batchRows: 8 });
  assert.deepEqual(batchOf({ batchRows: 8 }, { microRows: '2' }), { batchRows: 8, microRows: 2 });
  assert.deepEqual(batchOf({ batchRows: 8 }, { batchRows: '6', microRows: '3' }), { batchRows: 6, microRows: 3 });
  assert.deepEqual(batchOf({ batchRows: 8 }, { microRows: '8' }), { batchRows: 8 });
});

test('parts that do not make up a batch are refused, as are no rows', () => {
  for (const microRows of ['3', '16'])
    assert.throws(
      () => batchOf({ batchRows: 8 }, { microRows }),
      (error) => isWorldError(error, 'batch-invalid'),
    );
  assert.throws(
    () => batchOf({ batchRows: 8 }, { batchRows: '0' }),
    (error) => isWorldError(error, 'bad-number'),
  );
});
