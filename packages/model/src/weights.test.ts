/** Weights that are read in pieces: the same parameters, whatever the files and their types; strangers' headers refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesOf, concat, isWorldError } from '@folkmoot/core';
import type { ModelConfig } from './config.ts';
import { initialParameters } from './initial.ts';
import { parameterLayout } from './layout.ts';
import { type SafetensorsDType, type SafetensorsEntry, writeSafetensorsHeader } from './safetensors.ts';
import { float16Bits, type WeightsFile, weightPieces } from './weights.ts';

const CONFIG: ModelConfig = {
  ...{ vocab: 300, hidden: 16, layers: 2, heads: 4, kvHeads: 2, feedForward: 24, context: 16 },
  ...{ ropeTheta: 10_000, normEpsilon: '0.00001', tied: false },
};
const { tensors, elements } = parameterLayout(CONFIG);
const PARAMS = initialParameters(CONFIG, 'weights');

function fileOf(name: string, bytes: Uint8Array): WeightsFile & { readonly reads: number[] } {
  const reads: number[] = [];
  const read = async (into: Uint8Array, offset: number) => {
    reads.push(into.length);
    const found = bytes.subarray(offset, offset + into.length);
    into.set(found);
    return found.length;
  };
  return { name, sizeBytes: bytes.length, read, reads };
}

/** A file with `some` tensors in this order. */
function safetensors(
  some: typeof tensors,
  dtype: SafetensorsDType = 'F32',
  change = (entry: SafetensorsEntry) => entry,
) {
  const header = writeSafetensorsHeader(some.map(({ name, shape }) => change({ name, shape, dtype })));
  const data = some.map(({ offset, elements }) => {
    const values = PARAMS.subarray(offset, offset + elements);
    if (dtype === 'F32') return bytesOf(values);
    return bytesOf(Uint16Array.from(values, dtype === 'BF16' ? bfloat16 : float16));
  });
  return concat([header, ...data]);
}

const bfloat16 = (value: number) => new Uint32Array(Float32Array.of(value).buffer)[0]! >>> 16;
/** Towards zero, of normal numbers and zero. */
function float16(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0]!;
  const exponent = ((bits >>> 23) & 255) - 112;
  return exponent <= 0 ? 0 : ((bits >>> 16) & 0x8000) | (exponent << 10) | ((bits >>> 13) & 1023);
}

async function readAll(files: readonly WeightsFile[]): Promise<Float32Array> {
  const parts: Uint8Array[] = [];
  for await (const part of weightPieces(CONFIG, files)) parts.push(part.slice());
  return new Float32Array(concat(parts).slice().buffer);
}

test('in any order and in several files they are the arena', async () => {
  const reversed = [...tensors].reverse();
  assert.deepEqual(await readAll([fileOf('one', safetensors(reversed))]), PARAMS);
  const shards = [reversed.slice(0, 5), reversed.slice(5)].map((some, i) => fileOf(`${i}`, safetensors(some)));
  assert.deepEqual(await readAll(shards), PARAMS);
});

test('halves are widened exactly', async () => {
  const near = (values: Float32Array, step: number) =>
    values.every((value, i) => Math.abs(value - PARAMS[i]!) <= step * Math.abs(PARAMS[i]!) + 7e-5);
  assert.ok(near(await readAll([fileOf('b', safetensors(tensors, 'BF16'))]), 2 ** -7));
  assert.ok(near(await readAll([fileOf('h', safetensors(tensors, 'F16'))]), 2 ** -10));
  const value = (half: number) => new Float32Array(Uint32Array.of(float16Bits(half)).buffer)[0]!;
  for (let half = 0; half < 2 ** 16; half++) {
    const [sign, exponent, fraction] = [half >> 15 ? -1 : 1, (half >> 10) & 31, half & 1023];
    if (exponent === 31) assert.ok(!Number.isFinite(value(half)));
    else {
      const size = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
      assert.ok(Object.is(value(half), sign * size), String(half));
    }
  }
});

test('what is not this model is refused before any parameter', async () => {
  const whole = safetensors(tensors);
  const cases: [RegExp, readonly WeightsFile[]][] = [
    [/is missing/, [fileOf('a', safetensors(tensors.slice(1)))]],
    [/there twice/, [fileOf('a', whole), fileOf('b', safetensors(tensors.slice(0, 1)))]],
    [
      /this config has not/,
      [
        fileOf(
          'a',
          safetensors(tensors, 'F32', (entry) => ({ ...entry, name: `x${entry.name}` })),
        ),
      ],
    ],
    [
      /is I32/,
      [
        fileOf(
          'a',
          safetensors(tensors, 'F32', (entry) => ({ ...entry, dtype: 'I32' })),
        ),
      ],
    ],
    [
      /is \[.*\], not \[/,
      [
        fileOf(
          'a',
          safetensors(tensors, 'F32', (e) => ({ ...e, shape: [...e.shape].reverse() })),
        ),
      ],
    ],
  ];
  for (const [message, files] of cases)
    await assert.rejects(
      readAll(files),
      (error) => isWorldError(error, 'weights-unsuitable') && message.test(error.message),
    );
});

test('a header that claims too much is never read', async () => {
  for (const claimed of [elements * 4, 50_000_000, 2 ** 40]) {
    const bytes = safetensors(tensors).slice();
    new DataView(bytes.buffer).setBigUint64(0, BigInt(claimed), true);
    const file = fileOf('hostile', bytes);
    await assert.rejects(readAll([{ ...file, sizeBytes: 2 ** 41 }]));
    assert.ok(Math.max(...file.reads) <= (claimed > 2 ** 21 ? 8 : 2 ** 21), 'only the length was read');
  }
});

test('a value that is not finite ends it', async () => {
  const bytes = safetensors(tensors).slice();
  new DataView(bytes.buffer).setUint32(bytes.length - 4, 0x7fc00000, true);
  await assert.rejects(readAll([fileOf('nan', bytes)]), /not finite/);
});
