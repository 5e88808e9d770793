import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '@folkmoot/core';
import { parameterLayout } from '@folkmoot/model';
import fc from 'fast-check';
import { packBfloat16, unpackBfloat16 } from './bfloat16.ts';
import { decodeUpdate, encodeUpdate, maxUpdateBytes, type Update } from './codec.ts';
import { forEachEntry, type SparseUpdate, writeSparse } from './codec-sparse.ts';
import { UNIT } from './fixed-point.ts';
import { changes, DENSE, layoutOf, SPARSE } from './shapes.test-support.ts';

// An odd number of entries, so that the last bytes have unused bits.
const layout = layoutOf(9000, 4096, 100, 1, 1);
const N = layout.elements;
const zeros = () => new Float32Array(N);
const noError = () => new Uint16Array(N);

/** The bytes and the memory of a round whose change is `change`. */
function encode(rules: typeof DENSE, change: Float32Array, errorIn: Uint16Array = noError()) {
  const encoded = encodeUpdate(rules, layout, { base: change, end: zeros(), errorIn });
  assert.ok(encoded.ok);
  return encoded;
}

function decode(rules: typeof DENSE, bytes: Uint8Array): Update {
  const decoded = decodeUpdate(rules, layout, bytes);
  assert.ok(decoded.ok, decoded.ok ? '' : decoded.reason);
  return decoded.update;
}

/** What an update says of each parameter. */
function valuesOf(update: Update): Float64Array {
  const values = new Float64Array(N);
  if (update.kind === 'sparse') {
    forEachEntry(update, (parameter, units) => {
      values[parameter] = units * UNIT;
    });
  } else values.set(Float64Array.from(update.codes, (code, i) => code * update.scales[i >> 12] * UNIT));
  return values;
}

test('dense: every value comes back within half a step of its block', () => {
  const change = changes('dense', N);
  const { bytes, errorOut } = encode(DENSE, change);
  const update = decode(DENSE, bytes);
  assert.equal(update.kind, 'dense');
  const values = valuesOf(update);
  for (let i = 0; i < N; i++) {
    const step = (update as { scales: Int32Array }).scales[i >> 12] * UNIT;
    assert.ok(Math.abs(values[i] - change[i]) <= step / 2 + 1e-12, `parameter ${i}`);
  }
  assert.ok(errorOut.every((half) => half === 0));
});

test('sparse: takes the largest of each chunk, the lower index first, as a slow sort does', () => {
  // Few different magnitudes, so that ties decide often.
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 40 }), (seed, steps) => {
      const change = changes(String(seed), N).map((value) => Math.round(value * 1000 * steps) / 64);
      const update = decode(SPARSE, encode(SPARSE, change.slice()).bytes) as SparseUpdate;
      const named: number[] = [];
      forEachEntry(update, (parameter) => named.push(parameter));
      assert.deepEqual(named, slowTop(change));
    }),
    { numRuns: 30 },
  );
});

test('sparse: what is not sent stays in the error memory', () => {
  const change = changes('sparse', N);
  const errorIn = packBfloat16(changes('memory', N, 0.003));
  const { bytes, errorOut } = encode(SPARSE, change, errorIn);
  const sent = valuesOf(decode(SPARSE, bytes));
  const offered = unpackBfloat16(errorIn).map((error, i) => 0.95 * error + change[i]);
  assert.deepEqual(errorOut, packBfloat16(offered.map((value, i) => value - sent[i])));
  const norm = (values: ArrayLike<number>) => Math.sqrt(Array.from(values).reduce((sum, x) => sum + x * x, 0));
  assert.ok(norm(unpackBfloat16(errorOut)) < 0.95 * norm(offered), 'the update takes something away');
});

test('sizes: 472 bits for 64 places of 4096 and 128 for their values, and codebooks; 8 bits and scales', () => {
  const large = parameterLayout({
    ...{ vocab: 4096, hidden: 256, layers: 4, heads: 4, kvHeads: 4, feedForward: 768 },
    ...{ context: 256, ropeTheta: 10_000, normEpsilon: '0.00001', tied: true },
  });
  const codebooks = 16 * large.tensors.length;
  const ideal = (((472 + 128) / 4096) * large.elements) / 8 + codebooks;
  assert.ok(Math.abs(maxUpdateBytes(SPARSE, large) / ideal - 1) < 0.01);
  assert.equal(maxUpdateBytes(DENSE, large), 12 + 4 * Math.ceil(large.elements / 4096) + large.elements);
});

test('the bytes of an update are frozen: changing them is a decision', () => {
  const change = changes('frozen', N);
  const errorIn = packBfloat16(changes('frozen memory', N));
  const sparse = encode(SPARSE, change, errorIn);
  assert.deepEqual(
    [sha256(encode(DENSE, change).bytes), sha256(sparse.bytes), sha256(new Uint8Array(sparse.errorOut.buffer))],
    [
      '5480bf98da4397e8345b2d00bbf9fdcb490f6e662b26378f3838c3b34cfe6e8a',
      '7d4a99baa0f2e0acd5787356555b9e7645edbc7a36c594db0011cb7a217c565e',
      'e3ee19e78f9adf2a5f387b142c82a07701d9e095a330ffacc531f46d3b57e78b',
    ],
  );
});

test('a change that is not finite is no update', () => {
  for (const bad of [Number.NaN, Infinity]) {
    for (const rules of [DENSE, SPARSE]) {
      const end = zeros();
      end[5000] = bad;
      assert.ok(!encodeUpdate(rules, layout, { base: zeros(), end, errorIn: noError() }).ok);
    }
    assert.ok(
      !encodeUpdate(SPARSE, layout, { base: zeros(), end: zeros(), errorIn: packBfloat16(zeros().fill(bad)) }).ok,
    );
  }
});

test('a change beyond the scale is held at its edge', () => {
  const change = zeros().fill(1e6);
  for (const rules of [DENSE, SPARSE]) {
    const values = valuesOf(decode(rules, encode(rules, change.slice()).bytes));
    assert.ok(values.every((value) => value >= 0 && value < 2));
    assert.ok(Math.max(...values) > 1.99);
  }
});

test('hostile updates are refused with a reason', () => {
  const honest = encode(SPARSE, changes('honest', N)).bytes;
  const denseBytes = encode(DENSE, changes('honest', N)).bytes;
  const changed = (bytes: Uint8Array, at: number, ...values: number[]) => {
    const copy = bytes.slice();
    copy.set(values, at);
    return copy;
  };
  const ranksAt = 12 + 16 * layout.tensors.length;
  const cases: [typeof DENSE, Uint8Array, RegExp][] = [
    [SPARSE, new Uint8Array(0), /has 0 bytes where/],
    [SPARSE, honest.subarray(1), /bytes where/],
    [SPARSE, new Uint8Array([...honest, 0]), /bytes where/],
    [DENSE, honest, /bytes where/],
    [SPARSE, changed(honest, 0, 0), /header/],
    [SPARSE, changed(honest, 4, 2), /header/],
    [SPARSE, changed(honest, 5, 1), /header/],
    [SPARSE, changed(honest, 7, 1), /header/],
    [SPARSE, changed(honest, 8, 0), /header/],
    [SPARSE, changed(honest, 12, 0, 0, 0, 0x80), /codebook/],
    [SPARSE, changed(honest, ranksAt, ...Array(59).fill(0xff)), /Chunk 0 has fewer sets/],
    [SPARSE, changed(honest, honest.length - 1, 0xff), /after the last/],
    [DENSE, changed(denseBytes, 12, 0xff, 0xff, 0xff, 0xff), /scale/],
    [DENSE, changed(denseBytes, 12, 0, 0, 0, 0x7f), /scale/],
    [DENSE, changed(denseBytes, denseBytes.length - 1, 0x80), /−128/],
  ];
  for (const [rules, bytes, reason] of cases) {
    const decoded = decodeUpdate(rules, layout, bytes);
    assert.ok(!decoded.ok, String(reason));
    assert.match(decoded.reason, reason);
  }
});

test('whatever the bytes are, decoding returns', () => {
  const size = maxUpdateBytes(SPARSE, layout);
  const header = encode(SPARSE, changes('x', N)).bytes.subarray(0, 12);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: size - 12, maxLength: size - 12 }), (body) => {
      const decoded = decodeUpdate(SPARSE, layout, new Uint8Array([...header, ...body]));
      if (!decoded.ok) return;
      let last = -1;
      forEachEntry(decoded.update as SparseUpdate, (parameter) => {
        assert.ok(parameter > last && parameter < N);
        last = parameter;
      });
    }),
    { numRuns: 100 },
  );
});

test('sparse: an update has one encoding; whatever decodes is what would be written', () => {
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom(1, 38, 64, 128), (seed, keep) => {
      const rules = { ...SPARSE, keep };
      const bytes = encode(rules, changes(String(seed), N)).bytes;
      const random = changes(`bits ${seed}`, bytes.length, 1000);
      // Other bits anywhere behind the header: mostly another update.
      const other = bytes.map((byte, i) => (i < 12 || i % 7 !== seed % 7 ? byte : byte ^ random[i]));
      for (const each of [bytes, other]) {
        const decoded = decodeUpdate(rules, layout, each);
        if (!decoded.ok) continue;
        const body = new Uint8Array(each.length - 12);
        writeSparse(decoded.update as SparseUpdate, body);
        assert.deepEqual(body, each.subarray(12));
      }
    }),
    { numRuns: 30 },
  );
});

test('bytes inside a Node buffer decode as their own', () => {
  const { bytes } = encode(SPARSE, changes('buffer', N));
  const pooled = Buffer.concat([Buffer.from([1, 2, 3]), bytes]).subarray(3);
  assert.deepEqual(decode(SPARSE, pooled), decode(SPARSE, bytes));
  const dense = encode(DENSE, changes('buffer', N)).bytes;
  assert.deepEqual(decode(DENSE, Buffer.concat([Buffer.from([1]), dense]).subarray(1)), decode(DENSE, dense));
});

function slowTop(change: Float32Array): number[] {
  return layout.tensors.flatMap(({ offset, elements }) => {
    const named: number[] = [];
    for (let at = 0; at < elements; at += 4096) {
      const chunk = Array.from({ length: Math.min(4096, elements - at) }, (_, i) => offset + at + i);
      const order = [...chunk].sort((a, b) => Math.abs(change[b]) - Math.abs(change[a]) || a - b);
      named.push(...order.slice(0, Math.ceil(chunk.length / 64)).sort((a, b) => a - b));
    }
    return named;
  });
}
