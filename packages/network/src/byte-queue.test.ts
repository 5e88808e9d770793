import assert from 'node:assert/strict';
import { test } from 'node:test';
import { below, concat, equalBytes, randomBytes, SeededRandom } from '@folkmoot/core';
import { BLOCK_BYTES, ByteQueue } from './byte-queue.ts';

test('what goes in comes out in its order, as from one long array', () => {
  for (let seed = 0; seed < 12; seed++) {
    const random = new SeededRandom(`byte-queue ${seed}`);
    const queue = new ByteQueue();
    let twin = new Uint8Array(0);
    for (let i = 0; i < 200; i++) {
      if (below(random, 2) === 0) {
        const chunk = randomBytes(random, below(random, [3, 100, 3 * BLOCK_BYTES][below(random, 3)]!));
        queue.push(chunk);
        twin = concat([twin, chunk]) as typeof twin;
      } else {
        const part = queue.take(below(random, 2 * BLOCK_BYTES));
        assert.ok(equalBytes(part, twin.subarray(0, part.length)));
        twin = twin.slice(part.length);
      }
      assert.equal(queue.length, twin.length);
      assert.ok(queue.length === 0 || queue.take(0).length === 0);
      assert.ok(
        queue.chunks <= 3 + 2 * (queue.length / (BLOCK_BYTES / 2)),
        `${queue.chunks} chunks of ${queue.length} bytes`,
      );
    }
    if (seed % 2 === 0) queue.clear();
    else while (queue.take(7).length > 0);
    assert.equal(queue.length + queue.chunks + queue.take(1).length, 0);
  }
});

test('a byte at a time costs no object a byte', () => {
  const queue = new ByteQueue();
  for (let i = 0; i < 100_000; i++) queue.push(Uint8Array.of(i));
  assert.ok(queue.chunks <= 1 + 100_000 / BLOCK_BYTES, `${queue.chunks} chunks`);
});
