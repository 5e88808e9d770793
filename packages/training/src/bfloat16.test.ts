import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hasNonFinite, packBfloat16, unpackBfloat16 } from './bfloat16.ts';

test('every finite bfloat16 survives the way through float32', () => {
  const all = Uint16Array.from({ length: 65_536 }, (_, i) => i).filter((half) => (half & 0x7f80) !== 0x7f80);
  assert.deepEqual(packBfloat16(unpackBfloat16(all)), all);
});

test('rounding takes the nearest bfloat16, and the even one of two', () => {
  const float = fc.float({ noNaN: true, noDefaultInfinity: true, max: Math.fround(1e38), min: Math.fround(-1e38) });
  fc.assert(
    fc.property(float, (value) => {
      const [half] = packBfloat16(Float32Array.of(value));
      assert.equal(half, nearest(value));
    }),
    { numRuns: 2000 },
  );
  const halfway = Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8, -1 - 2 ** -8);
  assert.deepEqual(unpackBfloat16(packBfloat16(halfway)), Float32Array.of(1, 1 + 2 ** -6, -1));
});

test('a NaN stays a NaN whatever its payload, too large becomes infinity, both are seen', () => {
  const nans = new Float32Array(new Uint32Array([0x7fffffff, 0xffffffff, 0x7f800001]).buffer);
  assert.ok(unpackBfloat16(packBfloat16(nans)).every(Number.isNaN));
  assert.deepEqual(
    unpackBfloat16(packBfloat16(Float32Array.of(3.4e38, -3.4e38))),
    Float32Array.of(Infinity, -Infinity),
  );
  for (const bad of [Number.NaN, Infinity, -Infinity]) {
    assert.ok(hasNonFinite(Float32Array.of(1, bad, 2)));
    assert.ok(hasNonFinite(packBfloat16(Float32Array.of(1, bad, 2))));
  }
  assert.ok(!hasNonFinite(Float32Array.of(3.4e38, 0, -0, 1e-45)));
  assert.ok(!hasNonFinite(packBfloat16(Float32Array.of(3.3e38, 0, -1e-40))));
});

/** The slow way: the closer of the two neighbours that share the sign. */
function nearest(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0];
  const below = bits >>> 16;
  const distance = (half: number) => Math.abs(unpackBfloat16(Uint16Array.of(half))[0] - value);
  const [down, up] = [distance(below), distance(below + 1)];
  if (down === up) return below % 2 === 0 ? below : below + 1;
  return down < up ? below : below + 1;
}
