import assert from 'node:assert/strict';
import { test } from 'node:test';
import { below, SeededRandom } from '@folkmoot/core';
import fc from 'fast-check';
import { nearDuplicates } from './near-duplicates.ts';
import { common, distinct, shingles } from './shingles.ts';
import { wordHashes } from './words.ts';

/** The slow, obvious twin: sets of five words as text. */
function jaccard(a: string, b: string): number {
  const [x, y] = [setOf(a), setOf(b)];
  const shared = [...x].filter((one) => y.has(one)).length;
  return shared / (x.size + y.size - shared);
}

function setOf(text: string): Set<string> {
  let set = sets.get(text);
  if (!set) {
    const words = text.toLowerCase().match(/[a-z0-9_]+/g) ?? [];
    set = new Set(words.slice(4).map((_, i) => words.slice(i, i + 5).join(' ')));
    sets.set(text, set);
  }
  return set;
}

const sets = new Map<string, Set<string>>();

/** Texts in families: an original, and copies in which some words are others. */
function families(seed: string, count: number, copies: number, maxChanges = 11): string[] {
  const random = new SeededRandom(seed);
  const word = () => `w${below(random, 5000)}`;
  const texts: string[] = [];
  for (let f = 0; f < count; f++) {
    const original = Array.from({ length: 60 + below(random, 200) }, word);
    texts.push(original.join(' '));
    for (let c = 0; c < copies; c++) {
      const changes = below(random, maxChanges + 1);
      const copy = [...original];
      for (let k = 0; k < changes; k++) copy[below(random, copy.length)] = word();
      texts.push(copy.join(below(random, 2) ? ', ' : ' ').toUpperCase());
    }
  }
  return texts;
}

test('what is dropped is a near-duplicate of what is kept, always; of all near-duplicates few are missed', () => {
  const texts = families('families', 50, 5);
  const repeats = nearDuplicates(texts);
  let [dropped, missed] = [0, 0];
  for (const [i, text] of texts.entries()) {
    const original = repeats[i]!;
    if (original >= 0) {
      dropped++;
      assert.ok(original < i && repeats[original] === -1, 'the earlier one, itself kept');
      assert.ok(jaccard(text, texts[original]!) >= 0.8, `${i} and ${original}`);
      continue;
    }
    const kept = texts.slice(0, i).filter((_, j) => repeats[j] === -1);
    if (kept.some((other) => jaccard(text, other) >= 0.8)) missed++;
  }
  assert.ok(dropped > 80, `${dropped} dropped`);
  assert.ok(missed <= dropped / 50, `${missed} missed of ${dropped}`);
});

test('a thousand copies with changes of their own are compared with few, and one of each family stays', () => {
  const texts = families('crowd', 1, 1000, 3);
  const repeats = nearDuplicates(texts);
  const kept = texts.filter((_, i) => repeats[i] === -1);
  assert.ok(kept.length < 300, `${kept.length} kept`);
  for (const [i, original] of repeats.entries())
    if (original >= 0) assert.ok(jaccard(texts[i]!, texts[original]!) >= 0.8);
});

test('what drifts in small steps is not dropped for good: each is compared with what is kept', () => {
  const drift = [Array.from({ length: 200 }, (_, i) => `w${i}`)];
  for (let step = 1; step < 30; step++)
    drift.push(drift.at(-1)!.map((word, i) => (i % 60 === step ? `${word}x` : word)));
  const texts = drift.map((words) => words.join(' '));
  const repeats = nearDuplicates(texts);
  const kept = repeats.filter((original) => original === -1).length;
  assert.ok(kept > 4 && kept < 25, repeats.join(' '));
  for (const [i, original] of repeats.entries())
    if (original >= 0) assert.ok(repeats[original] === -1 && jaccard(texts[i]!, texts[original]!) >= 0.8);
});

test('equal but for case, spaces and punctuation; different; short; without words', () => {
  const long = 'The quick brown fox jumps over the lazy dog, and then it sleeps.';
  const texts = [long, long.toUpperCase().replaceAll(' ', '\n\t'), 'Quite another sentence about other things.'];
  const short = ['Yes.', 'yes!', 'no', '', '!!!', '???', '今日は良い天気です', '今日は良い天気です。', '今日は雨です'];
  assert.deepEqual([...nearDuplicates([...texts, ...short])], [-1, 0, -1, -1, 3, -1, -1, -1, -1, -1, 9, -1]);
});

test('the answer is the same on every machine, and does not depend on what comes later', () => {
  const texts = families('frozen', 12, 4);
  const repeats = [...nearDuplicates(texts)];
  assert.deepEqual(repeats.slice(0, 30), [...nearDuplicates(texts.slice(0, 30))]);
  // Frozen: another result is another rule, and takes another name in the manifest.
  assert.deepEqual(
    repeats.map((original, i) => (original >= 0 ? i : undefined)).filter((i) => i !== undefined),
    FROZEN,
  );
  assert.deepEqual([...wordHashes('One two_2 ÄÖ 日本')], FROZEN_WORDS);
});

const FROZEN = [1, 2, 4, 6, 12, 13, 19, 21, 22, 23, 24, 27, 28, 31, 33, 36, 37, 44, 49, 53, 54, 57];
const FROZEN_WORDS = [2879776895, 2992490498, 3068760412, 132643580, 1396449322];

test('words: letters of a script together, characters without spaces alone, the rest between', () => {
  const count = (text: string) => wordHashes(text).length;
  assert.equal(count('foo_bar(baz.qux) // 3.14'), 5);
  assert.equal(count('Straße, naïve; 10€'), 3);
  assert.equal(count('слово и ещё одно'), 4);
  assert.equal(count('भारत एक देश'), 3);
  assert.equal(count('日本語、テスト'), 6);
  assert.equal(count('ภาษาไทย'), 7);
  assert.equal(count('“quoted” – text…\u00a0x'), 3);
  assert.deepEqual(wordHashes('Case CASE case').slice(1), wordHashes('case Case').slice());
});

test('shingles and sets against their twins', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 40 }), (words) => {
      const width = Math.min(5, words.length);
      const stretches = words.slice(0, words.length - width + 1).map((_, i) => words.slice(i, i + width).join(' '));
      const expected = words.length === 0 ? 0 : new Set(stretches).size;
      assert.equal(distinct(shingles(words.join(' '))).length, expected);
    }),
  );
  const list = fc.array(fc.nat(30), { maxLength: 30 }).map((values) => Uint32Array.from(values));
  fc.assert(
    fc.property(list, list, (a, b) => {
      const [x, y] = [new Set(a), new Set(b)];
      assert.deepEqual(
        [...distinct(a)],
        [...x].sort((p, q) => p - q),
      );
      assert.equal(common(distinct(a), distinct(b)), [...x].filter((value) => y.has(value)).length);
    }),
  );
});
