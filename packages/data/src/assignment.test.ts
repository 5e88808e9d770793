import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256, utf8 } from '@folkmoot/core';
import fc from 'fast-check';
import { assignedRows } from './assignment.ts';

const seeds = fc.string().map((text) => sha256(utf8(text)));
const shape = fc.record({
  seed: seeds,
  seats: fc.integer({ min: 1, max: 5 }),
  batchRows: fc.integer({ min: 1, max: 6 }),
  stepsPerRound: fc.integer({ min: 1, max: 6 }),
  extra: fc.nat(50),
});

/** All rows of a round, seat by seat. */
function round(seed: string, trainRows: number, seats: number, rules: { batchRows: number; stepsPerRound: number }) {
  const rows: number[] = [];
  for (let seat = 0; seat < seats; seat++)
    for (let step = 0; step < rules.stepsPerRound; step++)
      rows.push(...assignedRows(seed, trainRows, seat, step, rules));
  return rows;
}

test('rows of a round are distinct and in range while they fit', () => {
  fc.assert(
    fc.property(shape, ({ seed, seats, extra, ...rules }) => {
      const needed = seats * rules.batchRows * rules.stepsPerRound;
      const rows = round(seed, needed + extra, seats, rules);
      assert.equal(new Set(rows).size, needed);
      assert.ok(rows.every((row) => Number.isInteger(row) && row >= 0 && row < needed + extra));
      // With no row to spare, every row has exactly one seat.
      assert.deepEqual(
        round(seed, needed, seats, rules).sort((a, b) => a - b),
        [...Array(needed).keys()],
      );
    }),
  );
});

test('with fewer rows than places, rows repeat evenly', () => {
  fc.assert(
    fc.property(shape, fc.integer({ min: 1, max: 20 }), ({ seed, seats, ...rules }, trainRows) => {
      const uses = Array(trainRows).fill(0);
      for (const row of round(seed, trainRows, seats, rules)) uses[row]++;
      assert.ok(Math.max(...uses) - Math.min(...uses) <= 1);
    }),
  );
});

test('the assignment depends on seed, seat and step, and on nothing else', () => {
  const rules = { batchRows: 8, stepsPerRound: 4 };
  const [a, b] = [sha256(utf8('a')), sha256(utf8('b'))];
  const first = assignedRows(a, 10_000, 1, 2, rules);
  // More seeds than are remembered.
  for (let i = 0; i < 20; i++) assignedRows(sha256(utf8(String(i))), 10_000, 0, 0, rules);
  assert.deepEqual(assignedRows(a, 10_000, 1, 2, rules), first);
  for (const other of [
    assignedRows(b, 10_000, 1, 2, rules),
    assignedRows(a, 10_000, 2, 2, rules),
    assignedRows(a, 10_000, 1, 3, rules),
    assignedRows(a, 20_000, 1, 2, rules),
  ])
    assert.notDeepEqual(other, first);
  // Frozen: members of one run must agree on it.
  assert.deepEqual(assignedRows(a, 1000, 0, 0, rules), [990, 536, 846, 837, 364, 975, 731, 673]);
});

test('a step outside the round is a bug of the caller', () => {
  const seed = sha256(utf8('a'));
  const rules = { batchRows: 1, stepsPerRound: 4 };
  assert.throws(() => assignedRows(seed, 10, 0, 4, rules), /bug/);
  assert.throws(() => assignedRows(seed, 10, -1, 0, rules), /bug/);
});
