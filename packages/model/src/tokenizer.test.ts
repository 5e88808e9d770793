import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@folkmoot/core';
import { Tokenizer as HuggingFace } from '@huggingface/tokenizers';
import fc from 'fast-check';
import { Tokenizer } from './tokenizer.ts';
import { END_OF_TEXT, END_OF_TEXT_ID, FIRST_BYTE_ID, type Merge } from './vocabulary.ts';

const SAMPLE = [
  "It's what we'll do: they've said I'm 'in', don't you'd? THEY'RE ALL-CAPS.",
  'function main(argv: string[]) {\r\n  return argv.map((x) => `#{x}\\n`);\r\n}\r\n\r\n',
  'naïve café – Straße, Ελληνικά, русский текст, 日本語の文章, العربية, हिन्दी',
  '😀 👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301 \u{1F468}\u{1F3FD} \u0000\u0007 \uFEFF\u00A0\u2003\u3000',
  'spaces   and\t\ttabs \n\n\n  end   ',
  '0123456789 3.14159 ½ ² Ⅷ 1,000,000 0xdeadbeef',
  '\uFEFFa byte order mark first',
  '__proto__ constructor toString <|endoftext|> <|end of text|>',
];

const learnt = Tokenizer.train([...SAMPLE, ...SAMPLE, ...SAMPLE], 450);
const theirs = huggingFace(learnt);

function huggingFace(tokenizer: Tokenizer): HuggingFace {
  const file = JSON.parse(new TextDecoder().decode(tokenizer.toJson()));
  return new HuggingFace(file, { clean_up_tokenization_spaces: false });
}

function assertSame(ours: Tokenizer, other: HuggingFace, text: string): void {
  const ids = ours.encode(text);
  assert.deepEqual(ids, other.encode(text).ids, JSON.stringify(text));
  assert.equal(ours.decode(ids), text.toWellFormed());
  if (ids.length > 0) assert.equal(other.decode(ids), text.toWellFormed());
}

test('ids and texts are those of @huggingface/tokenizers', () => {
  for (const text of SAMPLE) assertSame(learnt, theirs, text);
  assertSame(learnt, theirs, SAMPLE.join('\n'));
});

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc.string({
    unit: fc.constantFrom(' ', '\n', '\r', '\t', '\u00a0', 'a', "'", 's', '1', '<', '|', '>'),
    maxLength: 80,
  }),
  fc.array(fc.constantFrom(...SAMPLE, END_OF_TEXT, ' ', '\ud800', '\udc00'), { maxLength: 5 }).map((xs) => xs.join('')),
);

test('the same on random text', () => {
  fc.assert(
    fc.property(anyText, (text) => assertSame(learnt, theirs, text)),
    { numRuns: 500 },
  );
});

test('the same for any list of merges, learnt or not', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(1000), fc.nat(1000)), { maxLength: 30 }),
      fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 60 }),
      (picks, text) => {
        const ids = [...'abc'].map((letter) => FIRST_BYTE_ID + letter.charCodeAt(0));
        const merges: Merge[] = [];
        for (const [left, right] of picks) {
          const merge: Merge = [ids[left % ids.length]!, ids[right % ids.length]!];
          if (merges.some((known) => String(known) === String(merge))) continue;
          merges.push(merge);
          // New tokens become parts of later ones. A tokenizer of the same size made none.
          const { vocab } = new Tokenizer(merges);
          if (vocab - 1 > Math.max(256, ...ids)) ids.push(vocab - 1);
        }
        const tokenizer = new Tokenizer(merges);
        assertSame(tokenizer, huggingFace(tokenizer), text);
      },
    ),
    { numRuns: 150 },
  );
});

test('two merges that make the same bytes share a token', () => {
  const [a, b, c] = [...'abc'].map((letter) => FIRST_BYTE_ID + letter.charCodeAt(0)) as [number, number, number];
  // 257 ab, 258 abc, 259 bc, 258 again.
  const tokenizer = new Tokenizer([
    [a, b],
    [257, c],
    [b, c],
    [a, 259],
  ]);
  assert.equal(tokenizer.vocab, 260);
  assert.deepEqual(tokenizer.encode('abc'), [258]);
  const later = new Tokenizer([
    [b, c],
    [a, b],
    [258, c],
    [a, 257],
  ]);
  assert.deepEqual(later.encode('abc'), [259]);
  for (const text of ['abc', 'ababcbc', 'cbabc'])
    for (const each of [tokenizer, later]) assertSame(each, huggingFace(each), text);
});

test('end-of-text is a token in a prompt and plain text in a document', () => {
  const text = `one${END_OF_TEXT}two`;
  assert.equal(learnt.encode(text).filter((id) => id === END_OF_TEXT_ID).length, 1);
  assert.ok(!learnt.encodeDocument(text).includes(END_OF_TEXT_ID));
  assert.equal(learnt.decode(learnt.encodeDocument(text)), text);
});

test('half a character decodes to the replacement character, as theirs does', () => {
  const ids = [...utf8('é€😀')].map((byte) => FIRST_BYTE_ID + byte);
  for (let end = 1; end <= ids.length; end++) {
    const cut = [...ids.slice(0, end), END_OF_TEXT_ID, ...ids.slice(end)];
    assert.equal(learnt.decode(cut), theirs.decode(cut));
  }
});

test('a word as long as a file takes no quadratic time', () => {
  for (const text of ['a'.repeat(400_000), ' '.repeat(400_000), 'é'.repeat(200_000)])
    assert.equal(learnt.decode(learnt.encode(text)), text);
});

test('the same text gives the same tokenizer, byte for byte', () => {
  const tokenizer = Tokenizer.train(['the cat sat on the mat, the cat; 日本 日本\r\n\r\n'], 270);
  assert.equal(tokenizer.vocab, 270);
  // Frozen: the tokenizer's id is in the charter, so another hash is another protocol.
  assert.equal(tokenizer.id, '5759b72c1f6c8c95053a3bcd30ce45cc090c7edba891f9f189326a8d4ae32b64');
});

test('a tokenizer survives its file', () => {
  const again = Tokenizer.fromJson(learnt.toJson());
  assert.equal(again.id, learnt.id);
  assert.deepEqual(again.encode(SAMPLE.join()), learnt.encode(SAMPLE.join()));
});

test('any other file is refused', () => {
  const text = new TextDecoder().decode(learnt.toJson());
  const changed = [
    '',
    'not JSON',
    'null',
    '{"model":{"merges":{}}}',
    text.trimEnd(),
    text.replace('"special":true', '"special":false'),
    text.replace('"t":117', '"t":118'),
    text.replace('"merges":["', '"merges":["nowhere t","'),
    text.replace('"merges":["', '"merges":[7,"'),
    text.replace('"merges":["', `"merges":["${END_OF_TEXT} t","`),
    text.replace('"merges":["', '"merges":["a b c","'),
  ];
  for (const [i, file] of changed.entries()) {
    assert.ok(file !== text, `change ${i} changes something`);
    assert.throws(() => Tokenizer.fromJson(utf8(file)), { code: 'tokenizer-malformed' }, `change ${i}`);
  }
  assert.throws(() => Tokenizer.fromJson(new Uint8Array(2 ** 24 + 1)), /larger than/);
});
