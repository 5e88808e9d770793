import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Canonical, canonicalBytes, canonicalJson, idOf, isCanonicalText } from './canonical.ts';
import { sha256 } from './hash.ts';

test('the examples of RFC 8785, as far as they hold no fractions', () => {
  // Section 3.2.3: sorting by UTF-16 code units.
  const sorted = {
    '\u20ac': 'Euro Sign',
    '\r': 'Carriage Return',
    '\ufb33': 'Hebrew Letter Dalet With Dagesh',
    '1': 'One',
    '\ud83d\ude00': 'Emoji: Grinning Face',
    '\u0080': 'Control',
    '\u00f6': 'Latin Small Letter O With Diaeresis',
  };
  assert.equal(
    canonicalJson(sorted),
    '{"\\r":"Carriage Return","1":"One","\u0080":"Control","ö":"Latin Small Letter O With Diaeresis",' +
      '"€":"Euro Sign","\u{1f600}":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
  );
  // Section 3.2.2: literals and strings.
  assert.equal(
    canonicalJson({ string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/', literals: [null, true, false] }),
    '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  );
  // Appendix B, whole numbers.
  for (const [value, text] of [
    [0, '0'],
    [9007199254740991, '9007199254740991'],
    [-9007199254740991, '-9007199254740991'],
  ] as const)
    assert.equal(canonicalJson(value), text);
});

test('what has no canonical form is refused', () => {
  for (const value of [-0, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, '\ud800', 10n, () => 1, Symbol('x')])
    assert.throws(() => canonicalJson(value as never), RangeError);
  assert.throws(() => canonicalJson({ '\udc00': 1 }), RangeError);
});

test('one value, one text: neither the order of insertion nor absent members matter', () => {
  const value = fc.letrec<{ value: Canonical }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(null, true, false),
      fc.maxSafeInteger().map((n) => (Object.is(n, -0) ? 0 : n)),
      fc.string({ unit: 'grapheme' }),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.string(), tie('value'), { maxKeys: 4 }),
    ),
  })).value;
  fc.assert(
    fc.property(value, (one) => {
      const text = canonicalJson(one);
      assert.equal(canonicalJson(JSON.parse(text)), text);
      assert.equal(canonicalJson(backwards(one)), text);
      assert.equal(idOf(one), sha256(canonicalBytes(one)));
      assert.ok(isCanonicalText(text, one) && isCanonicalText(text, backwards(one)));
      for (const other of [`${text} `, ` ${text}`, text.slice(0, -1), JSON.stringify([one], null, 1)])
        assert.ok(!isCanonicalText(other, one), other);
      for (const at of [0, text.length >> 1, text.length - 1])
        assert.ok(!isCanonicalText(`${text.slice(0, at)}\u0001${text.slice(at + 1)}`, one));
    }),
  );
  assert.equal(canonicalJson({ a: 1, b: undefined }), '{"a":1}');
  assert.ok(isCanonicalText('{"a":1}', { a: 1, b: undefined }));
});

/** The same value with its members inserted the other way round. */
function backwards(value: Canonical): Canonical {
  if (Array.isArray(value)) return value.map(backwards);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, backwards(inner!)]),
  );
}
