import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBoundedJson } from './bounded-json.ts';
import { utf8 } from './bytes.ts';
import { below, SeededRandom } from './random.ts';

const WIDE = { depth: 100, containers: 10_000, commas: 10_000 };

test('within its bounds it is the parser’s value, whatever is in strings', () => {
  const random = new SeededRandom('bounded-json');
  for (let i = 0; i < 500; i++) {
    const value = anything(random, 4);
    const text = JSON.stringify(value, null, below(random, 3));
    assert.deepEqual(parseBoundedJson(utf8(text), WIDE), value);
    assert.deepEqual(parseBoundedJson(utf8(text), measured(value)), value, `its own measure suffices for ${text}`);
    for (const bound of ['depth', 'containers', 'commas'] as const) {
      const measure = measured(value);
      if (measure[bound] === 0) continue;
      assert.throws(
        () => parseBoundedJson(utf8(text), { ...measure, [bound]: measure[bound] - 1 }),
        RangeError,
        `one ${bound} less is too few for ${text}`,
      );
    }
  }
});

test('what is beyond the bounds never reaches the parser', (t) => {
  const parse = t.mock.method(JSON, 'parse');
  const bombs = ['['.repeat(200_000), '[],'.repeat(200_000), `[${'0,'.repeat(200_000)}0]`, '{"a":'.repeat(200_000)];
  for (const text of bombs)
    assert.throws(() => parseBoundedJson(utf8(text), { depth: 4, containers: 1000, commas: 1000 }), RangeError);
  assert.equal(parse.mock.callCount(), 0);
});

test('a text that breaks off in a string is refused by the parser', () => {
  for (const text of ['"', '"\\', '["a', '["a\\"', ']', '}}'])
    assert.throws(() => parseBoundedJson(utf8(text), WIDE), SyntaxError);
});

/** The bounds that `value` needs, by walking it. */
function measured(value: unknown): { depth: number; containers: number; commas: number } {
  if (typeof value !== 'object' || value === null) return { depth: 0, containers: 0, commas: 0 };
  const inner = Object.values(value).map(measured);
  const sum = (of: 'containers' | 'commas') => inner.reduce((total, one) => total + one[of], 0);
  return {
    depth: 1 + Math.max(0, ...inner.map(({ depth }) => depth)),
    containers: 1 + sum('containers'),
    commas: Math.max(0, inner.length - 1) + sum('commas'),
  };
}

function anything(random: SeededRandom, depth: number): unknown {
  const items = () => Array.from({ length: below(random, 4) }, () => anything(random, depth - 1));
  switch (below(random, depth > 0 ? 6 : 4)) {
    case 0:
      return below(random, 1000) - 500;
    case 1:
      return null;
    case 2:
      return ['[[[', ',,{', '"', '\\', '\\"[', '}é,'][below(random, 6)];
    case 3:
      return '';
    case 4:
      return items();
    default:
      return Object.fromEntries(items().map((item, i) => [['a,[', '"{', '\\'][i], item]));
  }
}
