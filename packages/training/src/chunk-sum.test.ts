import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_UPDATES } from './aggregate.ts';
import { ChunkSum } from './chunk-sum.ts';
import { arenaChunks, tensorChunks } from './chunks.ts';
import type { Update } from './codec.ts';
import { MAX_SCALE } from './codec-dense.ts';
import { MAX_VALUE } from './fixed-point.ts';
import { layoutOf } from './shapes.test-support.ts';

const layout = layoutOf(4096);
/** Odd, as are all values below: what is not exact shows in the last bit. */
const UPDATES = MAX_UPDATES - 1;

test('the largest sums that the bounds allow lose no unit, dense and sparse', () => {
  for (const { update, values } of [largestDense(), largestSparse()]) {
    const sum = new ChunkSum();
    sum.of(new Array<Update>(UPDATES).fill(update), 0, 0);
    for (const [i, value] of values) assert.equal(BigInt(sum.sums[i]), value * BigInt(UPDATES));
    const squares = [...values].reduce((total, [, value]) => total + value * value, 0n);
    assert.equal(sum.times(update, 0, 0), squares * BigInt(UPDATES));
  }
});

test('a chunk leaves nothing behind for the next', () => {
  const { update } = largestSparse();
  const sum = new ChunkSum();
  sum.of([update, update], 0, 0);
  sum.of([update], 0, 0);
  assert.deepEqual([sum.senders[1], sum.sums[1]], [1, MAX_VALUE]);
});

function largestDense() {
  const codes = Int8Array.from({ length: 4096 }, (_, i) => (i % 3 === 0 ? 125 : 127));
  const update: Update = { kind: 'dense', chunks: arenaChunks(layout), scales: Int32Array.of(MAX_SCALE - 1), codes };
  return { update, values: new Map([...codes].map((code, i) => [i, BigInt(code) * BigInt(MAX_SCALE - 1)])) };
}

function largestSparse() {
  const indices = Uint16Array.from({ length: 64 }, (_, i) => 64 * i + 1);
  const codes = Uint8Array.from({ length: 64 }, (_, i) => (i % 5 === 4 ? 1 : 0));
  const codebooks = Int32Array.of(MAX_VALUE, -(MAX_VALUE - 2), 0, 0);
  const entries = Uint32Array.of(0, 64);
  const update: Update = { kind: 'sparse', chunks: tensorChunks(layout), entries, indices, codes, codebooks };
  return { update, values: new Map([...indices].map((at, i) => [at, BigInt(codebooks[codes[i]])])) };
}
