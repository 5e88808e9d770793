import assert from 'node:assert/strict';
import { test } from 'node:test';
import { below, SeededRandom } from '@folkmoot/core';
import { holdoutOverlap } from './holdout-overlap.ts';

const random = new SeededRandom('overlap');
const words = (count: number) => Array.from({ length: count }, () => `w${below(random, 9000)}`);
const text = (...parts: string[][]) => parts.flat().join(' ');

test('a text that shares 22 words in a row with the hold-out is found, one that shares 21 is not', () => {
  const held = words(300);
  const train = [
    text(words(200)),
    text(words(50), held.slice(100, 122), words(50)),
    text(words(50), held.slice(100, 121), words(50)),
    text(words(5), held.slice(0, 17), words(9), held.slice(200, 217), words(5)),
    text(held).toUpperCase().replaceAll(' ', ' – '),
    '',
  ];
  assert.deepEqual([...holdoutOverlap(train, [text(words(40)), text(held)])], [1, 3, 4]);
});

test('what many texts have in common is no leak', () => {
  const licence = words(120);
  const held = text(licence, words(100));
  const with11 = Array.from({ length: 11 }, () => text(licence, words(100)));
  assert.equal(holdoutOverlap(with11, [held]).size, 0);
  assert.equal(holdoutOverlap(with11.slice(1), [held]).size, 10);
});

test('against the slow twin: texts of words, compared as text', () => {
  const pool = words(60);
  const texts = Array.from({ length: 40 }, () => {
    const at = below(random, 40);
    return text(words(30), pool.slice(at, at + 14 + below(random, 12)), words(30));
  });
  const held = [text(pool)];
  const stretchesOf = (one: string) => {
    const list = one.split(' ');
    return new Set(list.slice(12).map((_, i) => list.slice(i, i + 13).join(' ')));
  };
  const wanted = stretchesOf(held[0]!);
  const shared = texts.map((one) => [...stretchesOf(one)].filter((stretch) => wanted.has(stretch)));
  const uses = (stretch: string) => shared.filter((list) => list.includes(stretch)).length;
  const expected = shared.flatMap((list, i) => (list.filter((stretch) => uses(stretch) <= 10).length >= 10 ? [i] : []));
  assert.ok(expected.length > 0 && expected.length < texts.length);
  assert.deepEqual([...holdoutOverlap(texts, held)], expected);
});
