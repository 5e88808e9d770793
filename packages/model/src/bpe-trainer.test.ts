import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWorldError, utf8, type WorldError } from '@folkmoot/core';
import fc from 'fast-check';
import { trainMerges } from './bpe-trainer.ts';
import { BASE_VOCABULARY, FIRST_BYTE_ID, type Merge, Vocabulary, wordsOf } from './vocabulary.ts';

/** The slow, obvious twin: counts every pair of the whole text again before each merge. */
function slowMerges(texts: string[], vocab: number): Merge[] {
  let words = texts.flatMap((text) => wordsOf(text).map((word) => [...utf8(word)].map((byte) => FIRST_BYTE_ID + byte)));
  const vocabulary = new Vocabulary();
  const merges: Merge[] = [];
  while (vocabulary.size < vocab) {
    const counts = new Map<string, { pair: Merge; count: number }>();
    for (const word of words)
      for (let i = 0; i + 1 < word.length; i++) {
        const pair: Merge = [word[i]!, word[i + 1]!];
        const entry = counts.get(String(pair)) ?? { pair, count: 0 };
        entry.count++;
        counts.set(String(pair), entry);
      }
    const order = [...counts.values()].sort(
      (a, b) => b.count - a.count || a.pair[0] - b.pair[0] || a.pair[1] - b.pair[1],
    );
    if (!order[0] || order[0].count < 2) break;
    const [left, right] = order[0].pair;
    merges.push([left, right]);
    const token = vocabulary.add([left, right]);
    words = words.map((word) => {
      const joined: number[] = [];
      for (let i = 0; i < word.length; i++)
        if (word[i] === left && word[i + 1] === right) {
          joined.push(token);
          i++;
        } else joined.push(word[i]!);
      return joined;
    });
  }
  return merges;
}

const texts = fc.array(
  fc.oneof(
    fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' ', 'é', '\n'), maxLength: 60 }),
    fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 60 }),
    fc.string({ unit: 'grapheme', maxLength: 30 }),
  ),
  { maxLength: 6 },
);

test('the trainer learns what its slow twin learns', () => {
  fc.assert(
    fc.property(texts, (sample) => {
      const slow = slowMerges(sample, BASE_VOCABULARY + 40);
      const vocabulary = new Vocabulary();
      for (const merge of slow) vocabulary.add(merge);
      assert.deepEqual(trainMerges(sample, vocabulary.size), slow.slice(0, lastGrowth(slow)));
    }),
    { numRuns: 400 },
  );
});

/** Merges after the last one that added a token are never asked for. */
function lastGrowth(merges: Merge[]): number {
  const vocabulary = new Vocabulary();
  let last = 0;
  for (const [i, merge] of merges.entries()) if (vocabulary.add(merge) === vocabulary.size - 1) last = i + 1;
  return last;
}

test('equally frequent pairs: the lowest left id goes first, then the lowest right id', () => {
  const id = (letter: string) => FIRST_BYTE_ID + letter.charCodeAt(0);
  assert.deepEqual(trainMerges(['zy ba bc zy ba bc'], BASE_VOCABULARY + 2), [
    [id(' '), id('b')],
    [id('z'), id('y')],
  ]);
  assert.deepEqual(trainMerges(['(y)(x)'.repeat(2)], BASE_VOCABULARY + 1), [[id(')'), id('(')]]);
});

test('a vocabulary larger than the data allows is refused with what the data allows', () => {
  const allowed = BASE_VOCABULARY + 3;
  assert.equal(trainMerges(['abcd abcd'], allowed).length, 3);
  assert.throws(
    () => trainMerges(['abcd abcd'], 4096),
    (error: WorldError) => {
      assert.ok(isWorldError(error, 'vocabulary-too-large'));
      assert.deepEqual(error.facts, { asked: 4096, allowed });
      assert.match(error.help, new RegExp(`at most ${allowed} tokens, or add more text`));
      return true;
    },
  );
  assert.throws(() => trainMerges([], 258), { code: 'vocabulary-too-large' });
});

test('a vocabulary outside what 16 bits hold is refused', () => {
  for (const vocab of [0, 256, 257.5, 65_537]) assert.throws(() => trainMerges(['aa aa'], vocab), RangeError);
});
