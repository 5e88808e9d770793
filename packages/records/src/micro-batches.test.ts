/** A charter's micro-batches: a divisor of the batch, and the program that adds them up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { charterSchema } from './charter.ts';
import { brokenRule } from './charter-check.ts';
import { CHARTER } from './samples.test-support.ts';

const programs = { ...CHARTER.programs, accumulate: 'ac'.repeat(32) };

test('a part of the batch that divides it, with its program', () => {
  const charter = { ...CHARTER, microRows: 4, programs };
  assert.equal(charterSchema.safeParse(charter).success, true);
  assert.equal(brokenRule(charter), undefined);
});

test('no divisor, the whole batch, a program too many or too few: no charter', () => {
  for (const microRows of [5, CHARTER.batchRows, 2 * CHARTER.batchRows])
    assert.match(brokenRule({ ...CHARTER, microRows, programs })!, /microRows must divide batchRows/);
  assert.match(brokenRule({ ...CHARTER, microRows: 4 })!, /accumulate program/);
  assert.match(brokenRule({ ...CHARTER, programs })!, /accumulate program/);
  assert.equal(charterSchema.safeParse({ ...CHARTER, microRows: 0, programs }).success, false);
});
