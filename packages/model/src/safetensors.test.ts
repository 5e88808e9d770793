import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, isWorldError, utf8 } from '@folkmoot/core';
import fc from 'fast-check';
import {
  float32Of,
  readSafetensorsHeader,
  type SafetensorsEntry,
  safetensorsDataStart,
  writeSafetensorsHeader,
} from './safetensors.ts';

const entry = fc.record({
  dtype: fc.constantFrom('F32' as const, 'BF16' as const, 'U8' as const, 'I64' as const),
  shape: fc.array(fc.nat(5), { maxLength: 3 }),
});
const entries = fc
  .dictionary(fc.string({ maxLength: 12 }), entry, { maxKeys: 8 })
  .map((fields): SafetensorsEntry[] => Object.entries(fields).map(([name, rest]) => ({ name, ...rest })))
  .filter((list) => list.every(({ name }) => name !== '__metadata__'));

function invalid(why: RegExp) {
  return (error: unknown) => isWorldError(error, 'safetensors-invalid') && why.test(error.message);
}

/** A file with a header of any text and `data` zero bytes. */
function fileOf(header: string, data = 0): Uint8Array {
  const text = utf8(header);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  return concat([length, text, new Uint8Array(data)]);
}

test('what is written is read, in place and without a hole', () => {
  fc.assert(
    fc.property(entries, fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }), (list, metadata) => {
      const bytes = writeSafetensorsHeader(list, metadata);
      assert.equal(bytes.length % 8, 0);
      assert.equal(safetensorsDataStart(bytes), bytes.length);
      const sizes = { F32: 4, BF16: 2, U8: 1, I64: 8 };
      const dataBytes = list.reduce(
        (sum, { dtype, shape }) => sum + shape.reduce((a, b) => a * b, sizes[dtype as keyof typeof sizes]),
        0,
      );
      const header = readSafetensorsHeader(bytes, bytes.length + dataBytes);
      assert.equal(header.dataBytes, dataBytes);
      assert.deepEqual(new Map(Object.entries(metadata)), header.metadata);
      const names = (items: readonly SafetensorsEntry[]) =>
        items.map(({ name, dtype, shape }) => JSON.stringify([name, dtype, shape])).sort();
      assert.deepEqual(names(header.entries), names(list));
      assert.throws(() => readSafetensorsHeader(bytes, bytes.length + dataBytes + 1), invalid(/follow the header/));
    }),
  );
});

test('the bytes are those that Hugging Face writes', () => {
  const bytes = writeSafetensorsHeader([{ name: 'a', dtype: 'F32', shape: [2] }], { format: 'pt' });
  const json = '{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}';
  assert.deepEqual(bytes, fileOf(json.padEnd(88)));
  const file = concat([bytes, new Uint8Array([0, 0, 128, 63, 0, 0, 0, 192])]);
  const header = readSafetensorsHeader(file, file.length);
  assert.deepEqual(float32Of(file, header, header.entries[0]!), Float32Array.of(1, -2));
});

test('hostile files are refused with a reason', () => {
  const tensor = (rest: string) => `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},${rest}}`;
  const cases: [RegExp, Uint8Array][] = [
    [/first 8 bytes/, new Uint8Array(7)],
    [/claims 18446744073709551615 bytes/, new Uint8Array(8).fill(255)],
    [/claims 100000001 bytes/, Uint8Array.of(0x01, 0xe1, 0xf5, 0x05, 0, 0, 0, 0)],
    [/within its header/, fileOf('{"a":1}').subarray(0, 12)],
    [/not JSON/, fileOf('{"a":')],
    [/not JSON/, fileOf('{}').fill(0xff, 8)],
    [/not a JSON object/, fileOf('[1,2]')],
    [/not described/, fileOf('{"a":7}')],
    [/unknown type/, fileOf('{"a":{"dtype":"toString","shape":[],"data_offsets":[0,4]}}', 4)],
    [/no proper shape/, fileOf('{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}', 4)],
    [/no proper shape/, fileOf('{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,6]}}', 6)],
    [/no proper offsets/, fileOf('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}', 4)],
    [/larger than any file/, fileOf('{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}', 4)],
    [/has 4 bytes, its shape needs 8/, fileOf('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}', 4)],
    [/"b" begins at 4, not at 8/, fileOf(tensor('"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}'), 8)],
    [/"b" begins at 9, not at 8/, fileOf(tensor('"b":{"dtype":"U8","shape":[1],"data_offsets":[9,10]}'), 10)],
    [/take 8 bytes, but 4 follow/, fileOf('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', 4)],
    [/metadata are not texts/, fileOf('{"__metadata__":{"a":1}}')],
    [/metadata are not texts/, fileOf('{"__metadata__":null}')],
  ];
  for (const [why, file] of cases)
    assert.throws(() => readSafetensorsHeader(file, file.length), invalid(why), `${why}`);
});

test('any damage is an error of this kind, or harmless', () => {
  const good = concat([writeSafetensorsHeader([{ name: 'a', dtype: 'F32', shape: [2, 3] }]), new Uint8Array(24)]);
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), (at, byte) => {
      const file = good.slice();
      file[at] = byte;
      try {
        readSafetensorsHeader(file, file.length);
      } catch (error) {
        assert.ok(isWorldError(error, 'safetensors-invalid'), `${error}`);
      }
    }),
    { numRuns: 500 },
  );
});
