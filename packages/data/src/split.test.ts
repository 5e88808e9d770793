import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { describe } from './documents.ts';
import { chooseHoldout, cutLongDocuments } from './split.ts';

const document = (text: string, name = 'a') => describe(name, text, 'MIT');

test('a long document is cut at line ends, and nothing of it is lost', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 3000 }), { maxLength: 20 }), (lines) => {
      const text = lines.map((line, i) => `${i} ${line}`).join('\n');
      const pieces = cutLongDocuments([document(text)]);
      assert.equal(pieces.map((piece) => piece.text).join(''), text);
      for (const piece of pieces) {
        assert.ok(piece.text.length <= 4096 && piece.text.isWellFormed());
        assert.ok(
          pieces.length === 1 || piece === pieces.at(-1) || piece.text.endsWith('\n') || !piece.text.includes('\n'),
        );
      }
    }),
    { numRuns: 50 },
  );
});

test('a line longer than a piece is cut between characters', () => {
  const text = `x${'😀'.repeat(5000)}`;
  const pieces = cutLongDocuments([document(text)]);
  assert.ok(pieces.length > 1 && pieces.every((piece) => piece.text.isWellFormed()));
  assert.equal(pieces.map((piece) => piece.text).join(''), text);
});

test('pieces are called by number, keep the licence, and repeat nothing', () => {
  const pieces = cutLongDocuments([document('line of text\n'.repeat(1000), 'book.txt'), document('short', 'b')]);
  assert.deepEqual(pieces.at(0)!.name, 'book.txt#1');
  assert.equal(pieces.at(-1)!.name, 'b');
  assert.ok(pieces.every(({ licence }) => licence === 'MIT'));
  // All full pieces of this text are alike: one of them, the shorter last one, and the other document.
  assert.equal(pieces.length, 3);
});

test('the hold-out is the documents with the lowest hashes, at least as many as asked', () => {
  const documents = Array.from({ length: 2000 }, (_, i) => document(`document ${i}`));
  const ones = documents.map(() => 1);
  const chosen = chooseHoldout(documents, ones, 20_000, 1);
  assert.ok(chosen.size > 20 && chosen.size < 65, `${chosen.size} of 2000 is about 2 %`);
  const highest = [...chosen]
    .map((i) => documents[i]!.sha256)
    .sort()
    .at(-1)!;
  for (const [i, { sha256 }] of documents.entries()) assert.equal(chosen.has(i), sha256 <= highest);
  assert.equal(chooseHoldout(documents, ones, 20_000, 500).size, 500);
  assert.equal(chooseHoldout(documents, ones, 0, 0).size, 0);
  assert.equal(chooseHoldout(documents, ones, 0, 1).size, 1);
  assert.equal(chooseHoldout(documents, ones, 1_000_000, 1).size, 2000);
});

test('a document is on the same side wherever it stands in the list', () => {
  const documents = Array.from({ length: 300 }, (_, i) => document(`document ${i}`));
  const names = (list: typeof documents) =>
    [
      ...chooseHoldout(
        list,
        list.map(() => 1),
        20_000,
        3,
      ),
    ]
      .map((i) => list[i]!.text)
      .sort();
  assert.deepEqual(names(documents), names(documents.toReversed()));
});
