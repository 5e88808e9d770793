import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BitReader, BitWriter } from './bit-fields.ts';

const field = fc
  .integer({ min: 0, max: 200 })
  .chain((bits) => fc.tuple(fc.bigInt(0n, (1n << BigInt(bits)) - 1n), fc.constant(bits)));

test('fields come back, and lie where a slow string of digits has them', () => {
  fc.assert(
    fc.property(fc.array(field, { maxLength: 12 }), (fields) => {
      const digits = fields
        .map(([value, bits]) =>
          [
            ...value
              .toString(2)
              .padStart(bits, '0')
              .slice(-bits || Infinity),
          ]
            .reverse()
            .join(''),
        )
        .join('');
      const bytes = new Uint8Array(Math.ceil(digits.length / 8));
      const writer = new BitWriter(bytes);
      for (const [value, bits] of fields) writer.write(value, bits);
      for (const [i, digit] of [...digits].entries()) assert.equal((bytes[i >> 3] >> (i & 7)) & 1, Number(digit));

      const reader = new BitReader(bytes);
      for (const [value, bits] of fields) assert.equal(reader.read(bits), value);
      assert.ok(reader.restIsZero());
      assert.throws(() => reader.read(8));
      assert.throws(() => writer.write(0n, 8));
    }),
  );
});

test('a bit behind the last field is seen', () => {
  for (let bit = 3; bit < 16; bit++) {
    const bytes = new Uint8Array(2);
    bytes[bit >> 3] = 1 << (bit & 7);
    const reader = new BitReader(bytes);
    assert.equal(reader.read(3), 0n);
    assert.equal(reader.restIsZero(), false);
  }
});
