import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesOf, sha256 } from '@folkmoot/core';
import { initialParameters } from './initial.ts';
import { parameterLayout } from './layout.ts';
import { PRESETS } from './presets.ts';
import { cosSin, exponential, naturalLog, rotaryTables } from './rotary.ts';

const SEED = '5eed'.repeat(16);

test('initial parameters are frozen: the same bytes on every machine', () => {
  assert.equal(
    sha256(bytesOf(initialParameters(PRESETS.tiny, SEED))),
    '4b5f07cc3c10a9a88874c9b099b75213335a629d39c185fcc038b7de64ae0488',
  );
  assert.notDeepEqual(initialParameters(PRESETS.tiny, SEED), initialParameters(PRESETS.tiny, 'aa'.repeat(32)));
});

test('matrices have the deviations that were asked for, norms are one', () => {
  const arena = initialParameters(PRESETS.small, SEED);
  for (const { name, shape, offset, elements } of parameterLayout(PRESETS.small).tensors) {
    const tensor = arena.subarray(offset, offset + elements);
    if (shape.length === 1) {
      assert.ok(tensor.every((value) => value === 1));
      continue;
    }
    const mean = tensor.reduce((sum, value) => sum + value, 0) / elements;
    const deviation = Math.sqrt(tensor.reduce((sum, value) => sum + (value - mean) ** 2, 0) / elements);
    const wanted = /o_proj|down_proj/.test(name) ? 0.02 / Math.sqrt(8) : 0.02;
    assert.ok(Math.abs(mean) < wanted * 0.02, `${name}: mean ${mean}`);
    assert.ok(Math.abs(deviation / wanted - 1) < 0.02, `${name}: deviation ${deviation}, not ${wanted}`);
  }
});

test('owned logarithm, exponential, cosine and sine agree with the library to 1e-14', () => {
  for (let i = 0; i <= 1000; i++) {
    const x = i / 1000;
    assert.ok(Math.abs(naturalLog(1 + x * 1e6) / Math.log(1 + x * 1e6 || 2) - 1) < 1e-14 || i === 0);
    assert.ok(Math.abs(exponential(-20 * x) / Math.exp(-20 * x) - 1) < 1e-13);
    const [cos, sin] = cosSin(x);
    assert.ok(Math.abs(cos - Math.cos(x)) < 1e-15 && Math.abs(sin - Math.sin(x)) < 1e-15);
  }
  assert.equal(naturalLog(1), 0);
});

test('rotary tables are cosines and sines of position times frequency, to float32 rounding', () => {
  const { cos, sin, half } = rotaryTables({ ...PRESETS.small, context: 4096 });
  for (let position = 0; position < 4096; position += 97)
    for (let i = 0; i < half; i++) {
      const angle = position * 10_000 ** (-i / half);
      assert.ok(Math.abs(cos[position * half + i]! - Math.cos(angle)) < 1e-7);
      assert.ok(Math.abs(sin[position * half + i]! - Math.sin(angle)) < 1e-7);
    }
});
