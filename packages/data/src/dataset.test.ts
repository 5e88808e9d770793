import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalJson, fromUtf8, merkleRoot, sha256, utf8, type WorldError } from '@folkmoot/core';
import { END_OF_TEXT_ID, Tokenizer } from '@folkmoot/model';
import fc from 'fast-check';
import { buildDataset } from './dataset.ts';
import { describe } from './documents.ts';
import { manifestName, parseManifest, shardList, writeManifest } from './manifest.ts';
import { Rows } from './rows.ts';

const tokenizer = Tokenizer.train(['a document about numbers and words, a document about words'], 270);
const documents = Array.from({ length: 60 }, (_, i) =>
  describe(
    `folder/${i}.txt`,
    `document ${i} about the number ${i * i}\n`.repeat(3 + (i % 5)),
    i % 3 ? 'MIT' : 'unknown',
  ),
);
const rules = { context: 16, shardTokens: 200, holdoutPpm: 100_000 };
const dataset = buildDataset(documents, tokenizer, rules);
const shardOf = new Map(dataset.shards.map(({ id, bytes }) => [id, bytes]));
const getShard = async (id: string) => shardOf.get(id)!;

/** All tokens of one split, by reading its shards one after another. */
function tokensOf(split: 'train' | 'holdout'): number[] {
  return dataset.manifest[split].shards.flatMap(({ id }) => {
    const bytes = shardOf.get(id)!;
    return Array.from({ length: bytes.length / 2 }, (_, i) => bytes[2 * i]! + 256 * bytes[2 * i + 1]!);
  });
}

test('every document is in exactly one split, whole, with an end of text after it', () => {
  const texts = (['train', 'holdout'] as const).flatMap((split) => {
    const tokens = tokensOf(split);
    assert.equal(tokens.at(-1), END_OF_TEXT_ID);
    const found = tokenizer.decode(tokens).split('<|endoftext|>').slice(0, -1);
    const listed = dataset.manifest.documents.filter((document) => document.split === split);
    assert.deepEqual(
      found.map((text) => sha256(utf8(text))),
      listed.map((document) => document.sha256),
    );
    return found;
  });
  assert.deepEqual(texts.sort(), documents.map(({ text }) => text).sort());
});

test('a document cannot end itself', () => {
  const sly = [...documents, describe('sly', 'before<|endoftext|>after '.repeat(4), 'MIT')];
  const { manifest, shards } = buildDataset(sly, tokenizer, rules);
  let ends = 0;
  for (const { bytes } of shards)
    for (let i = 0; i < bytes.length; i += 2) if (bytes[i]! + 256 * bytes[i + 1]! === END_OF_TEXT_ID) ends++;
  assert.equal(ends, manifest.documents.length);
});

test('shards are full but for the last, and roots, rows and sums are what they say', () => {
  const { manifest, manifestBytes, manifestId } = dataset;
  assert.equal(manifestId, sha256(manifestBytes));
  for (const split of ['train', 'holdout'] as const) {
    const { root, rows, tokens, shards } = manifest[split];
    assert.equal(root, merkleRoot(shards.map(({ id }) => id)));
    assert.equal(tokens, tokensOf(split).length);
    assert.equal(rows, Math.floor((tokens - 1) / 16));
    assert.ok(rows >= 8);
    for (const shard of shards.slice(0, -1)) assert.equal(shard.tokens, 200);
    for (const { id, tokens: size } of shards) {
      assert.equal(sha256(shardOf.get(id)!), id);
      assert.equal(shardOf.get(id)!.length, 2 * size);
    }
  }
  assert.ok(manifest.train.shards.length > 2, 'rows cross shards in these tests');
  assert.deepEqual(
    manifest.licences.map(({ licence, documents: n }) => [licence, n]),
    [
      ['MIT', 40],
      ['unknown', 20],
    ],
  );
});

test('the same input gives the same bytes', () => {
  assert.equal(buildDataset(documents, tokenizer, rules).manifestId, dataset.manifestId);
  // Frozen: another hash would be another dataset to every member.
  assert.equal(dataset.manifestId, 'a1590b4631feec7640225579211955bb8f624f56b6fd410f15415f8f8c27dc8a');
});

test('a training text that quotes the hold-out is left out, and the manifest says how many', () => {
  const long = (i: number) => Array.from({ length: 30 }, (_, k) => `word${(i * 31 + k * 7) % 997}of${i}`).join(' ');
  const texts = Array.from({ length: 60 }, (_, i) => describe(`${i}.txt`, long(i), 'MIT'));
  const plain = buildDataset(texts, tokenizer, rules);
  const held = texts.find(({ sha256: id }) =>
    plain.manifest.documents.some((d) => d.sha256 === id && d.split === 'holdout'),
  )!;
  // Whichever side the hash puts a quotation on: among so many, some are for training.
  const quotes = Array.from({ length: 8 }, (_, i) => describe(`q${i}.txt`, `${held.text} and ${long(100 + i)}`, 'MIT'));
  const both = [...texts, ...quotes];
  const { manifest } = buildDataset(both, tokenizer, {
    ...rules,
    leftOut: [{ rule: 'before-1', documents: 3, bytes: 9 }],
  });
  const kept = buildDataset(both, tokenizer, { ...rules, keepHoldoutOverlap: true }).manifest;
  const train = (list: typeof manifest) => list.documents.filter(({ split }) => split === 'train').length;
  const [before, overlap] = manifest.leftOut;
  assert.deepEqual(before, { rule: 'before-1', documents: 3, bytes: 9 });
  assert.ok(overlap!.rule === 'holdout-overlap-1' && overlap!.documents >= 4, JSON.stringify(overlap));
  assert.equal(train(manifest), train(kept) - overlap!.documents);
  assert.deepEqual(manifest.holdout, kept.holdout, 'the hold-out stays');
  assert.deepEqual(kept.leftOut, []);
  assert.deepEqual(plain.manifest.leftOut, [{ rule: 'holdout-overlap-1', documents: 0, bytes: 0 }]);
});

test('too little text: refused with what there is and what is needed', () => {
  assert.throws(
    () => buildDataset([describe('a', 'a document', 'MIT')], tokenizer, rules),
    (error: WorldError) => {
      assert.equal(error.code, 'data-too-small');
      assert.equal(error.facts.needed, 258);
      assert.match(error.help, /258 tokens/);
      return true;
    },
  );
});

test('a single long file is enough: it is cut', () => {
  const book = Array.from({ length: 2000 }, (_, i) => `Sentence number ${i} of a long book.\n`).join('');
  const { manifest } = buildDataset([describe('book.txt', book, 'CC0-1.0')], tokenizer, { context: 16 });
  assert.ok(manifest.train.rows > 8 * manifest.holdout.rows && manifest.holdout.rows >= 8);
});

test('a row is T tokens and their successors, wherever shards end', async () => {
  for (const split of ['train', 'holdout'] as const) {
    const all = tokensOf(split);
    // A cache of one shard, so that rows across two of them evict each other.
    const rows = new Rows(dataset.manifest, split, getShard, { cacheBytes: 1 });
    const indices = [...Array(rows.count).keys()].reverse();
    const { tokens, targets } = await rows.read(indices);
    assert.equal(rows.count, dataset.manifest[split].rows);
    for (const [i, row] of indices.entries()) {
      assert.deepEqual([...tokens.subarray(i * 16, i * 16 + 16)], all.slice(row * 16, row * 16 + 16));
      assert.deepEqual([...targets.subarray(i * 16, i * 16 + 16)], all.slice(row * 16 + 1, row * 16 + 17));
    }
    await assert.rejects(rows.read([rows.count]), /bug/);
    await assert.rejects(rows.read([-1]), /bug/);
  }
});

test('the cache is bounded, shared by readers at the same time, and forgets failures', async () => {
  let calls = 0;
  let broken = false;
  const counted = async (id: string) => {
    calls++;
    if (broken) throw new Error('away');
    return shardOf.get(id)!;
  };
  const rows = new Rows(dataset.manifest, 'train', counted, { cacheBytes: 2 * 400 });
  await Promise.all([rows.read([0]), rows.read([1]), rows.read([0, 1])]);
  assert.equal(calls, 1);
  broken = true;
  await assert.rejects(rows.read([20]), /away/);
  broken = false;
  await rows.read([20]);
  // Two shards fit, so the first one has gone by now.
  await rows.read([40]);
  const before = calls;
  await rows.read([0]);
  assert.equal(calls, before + 1);
});

test('a shard of the wrong size or with a token beyond the vocabulary is refused', async () => {
  const beyond = async (id: string) => {
    const bytes = shardOf.get(id)!.slice();
    bytes[1] = 255;
    return bytes;
  };
  const short = async (id: string) => shardOf.get(id)!.slice(2);
  for (const bad of [beyond, short])
    await assert.rejects(new Rows(dataset.manifest, 'train', bad).read([0]), { code: 'shard-malformed' });
  const exact = { ...dataset.manifest, vocab: Math.max(...tokensOf('train')) };
  await assert.rejects(
    new Rows(exact, 'train', getShard).read([...Array(dataset.manifest.train.rows).keys()]),
    /holds token/,
  );
});

test('a manifest survives its bytes', () => {
  const parsed = parseManifest(dataset.manifestBytes);
  assert.ok(parsed.kind === 'manifest');
  assert.deepEqual(parsed.manifest, dataset.manifest);
});

test('a manifest with anything changed is refused', () => {
  const text = fromUtf8(dataset.manifestBytes);
  const other = sha256(utf8('other'));
  // biome-ignore lint/suspicious/noExplicitAny: a stranger's JSON.
  const edits: [string, (m: any) => void][] = [
    ['root', (m) => void (m.train.root = other)],
    ['swapped shards', (m) => m.train.shards.splice(0, 2, m.train.shards[1], m.train.shards[0])],
    ['lost shard', (m) => m.train.shards.pop()],
    ['rows', (m) => void m.train.rows++],
    ['tokens', (m) => void m.holdout.tokens--],
    ['shard size', (m) => void m.train.shards[0].tokens--],
    ['huge shard', (m) => void (m.shardTokens = 2 ** 40)],
    ['no shards', (m) => void (m.holdout = { ...m.holdout, shards: [], rows: 0, tokens: 0, root: merkleRoot([]) })],
    ['licence sum', (m) => void m.licences[0].bytes++],
    ['document size', (m) => void m.documents[0].bytes++],
    ['document name', (m) => void (m.documents[0].name = 'a\u001b[2J')],
    ['document split', (m) => void (m.documents[0].split = 'test')],
    ['document licence', (m) => void (m.documents[0].licence = '<script>')],
    ['vocab', (m) => void (m.vocab = 65_537)],
    ['context', (m) => void (m.context = 0)],
    ['tokenizer', (m) => void (m.tokenizer = 'x')],
    ['version', (m) => void (m.version = 1)],
    ['rule', (m) => void (m.leftOut[0].rule = 'Rule 1')],
    ['documents of a rule', (m) => void (m.leftOut[0].documents = -1)],
    ['no rules', (m) => delete m.leftOut],
    ['another field', (m) => void (m.more = 1)],
    ['a string for a list', (m) => void (m.documents = 'x')],
    ['null', (m) => void (m.train = null)],
  ];
  for (const [what, edit] of edits) {
    const manifest = JSON.parse(text);
    edit(manifest);
    const result = parseManifest(utf8(canonicalJson(manifest)));
    assert.equal(result.kind, 'reject', what);
  }
  const spaced = text.replace('{', '{ ');
  for (const bad of ['', 'null', '[]', '7', spaced, text.slice(0, -1), '['.repeat(100_000)])
    assert.equal(parseManifest(utf8(bad)).kind, 'reject');
  assert.equal(parseManifest(Uint8Array.of(0xff)).kind, 'reject');
});

test('the last token is only a target', () => {
  const rowsOf = (tokens: number) => shardList([{ id: dataset.manifestId, tokens }], 16).rows;
  assert.deepEqual([1, 16, 17, 32, 33].map(rowsOf), [0, 0, 1, 1, 2]);
  assert.equal(shardList([], 16).rows, 0);
});

test('a manifest whose sums are right but whose shards are uneven is refused', () => {
  const { shards } = dataset.manifest.train;
  const uneven = [{ ...shards[0]!, tokens: 199 }, ...shards.slice(1)];
  const result = parseManifest(writeManifest({ ...dataset.manifest, train: shardList(uneven, 16) }));
  assert.deepEqual(result, { kind: 'reject', reason: 'a shard before the last is not full' });
});

test('no bytes make the parser throw', () => {
  fc.assert(fc.property(fc.json(), (json) => parseManifest(utf8(json)).kind === 'reject'));
  fc.assert(
    fc.property(fc.nat(dataset.manifestBytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const bytes = dataset.manifestBytes.slice();
      bytes[at] = bytes[at]! ^ flip;
      const result = parseManifest(bytes);
      // A changed byte may make another good manifest (another document name), never the same one.
      if (result.kind === 'manifest') assert.notDeepEqual(result.manifest, dataset.manifest);
    }),
  );
});

test('names in a manifest are short and printable', () => {
  assert.equal(manifestName('a/b.txt'), 'a/b.txt');
  assert.equal(manifestName('a\nb\u001b'), 'a\uFFFDb\uFFFD');
  const long = manifestName(`${'x/'.repeat(300)}end.txt`);
  assert.ok(long.length === 200 && long.startsWith('…') && long.endsWith('/end.txt'));
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (name) => {
      const once = manifestName(name);
      assert.ok(once.length <= 200 && once.isWellFormed());
      assert.equal(manifestName(once), once);
    }),
  );
});
