import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEngine } from '@folkmoot/tensor/node';
import { packBfloat16, unpackBfloat16 } from './bfloat16.ts';
import { pieceFor, readBfloat16, readPieces, writePieces } from './pieces.ts';

test('an arena arrives whole and comes back, whatever the pieces', async () => {
  const engine = await createEngine('native', { threads: 1 });
  const values = Float32Array.from({ length: 10 }, (_, i) => 1 + i / 300);
  for (const piece of [3, 5, 10, Number.POSITIVE_INFINITY]) {
    const buffer = await engine.allocate('float32', 12);
    await writePieces(buffer, values, piece);
    assert.deepEqual(await readPieces(buffer, 10, piece), values);
    assert.deepEqual(await readBfloat16(buffer, 9, piece), packBfloat16(values.subarray(0, 9)));
    await writePieces(buffer, packBfloat16(values), piece);
    assert.deepEqual(await readPieces(buffer, 10, piece), unpackBfloat16(packBfloat16(values)));
    assert.deepEqual([...(await buffer.read(10))], [0, 0]);
    await buffer.free();
  }
  await engine.close();
});

test('on a device an arena is one piece', () => {
  assert.ok(pieceFor('host') < pieceFor('device'));
});
