import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { WorldError } from '@folkmoot/core';
import { readDocuments } from './read-documents.node.ts';

/** A temporary folder with these files. */
async function folderOf(context: TestContext, files: Record<string, string | Uint8Array>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'folkmoot data '));
  context.after(() => rm(root, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), content);
  }
  return root;
}

async function read(paths: string[], options = {}) {
  const { documents, summary } = await readDocuments(paths, options);
  const skipped = Object.fromEntries(
    [...summary.skipped].map(([reason, { count, first }]) => [reason, `${count} ${first}`]),
  );
  return { documents, names: documents.map(({ name }) => name), skipped, summary };
}

test('reads text, Markdown, source and JSONL in the order of their names', async (context) => {
  const root = await folderOf(context, {
    'b/z.ts': 'const z = 1;',
    'b.md': '# B',
    'a.txt': 'A',
    'Z.py': 'z = 1',
    'lines.jsonl': '{"text":"first"}\n{"text":"second"}\n',
    README: 'read me',
  });
  const { names, documents, skipped } = await read([root]);
  assert.deepEqual(names, ['README', 'Z.py', 'a.txt', 'b.md', 'b/z.ts', 'lines.jsonl:1', 'lines.jsonl:2']);
  assert.deepEqual(skipped, {});
  assert.deepEqual(documents[2], {
    name: 'a.txt',
    text: 'A',
    sha256: '559aead08264d5795d3909718cdd05abd49572e84fe55590eef31a88a08fdffd',
    licence: 'unknown',
    bytes: 1,
  });
});

test('skips what must not or cannot be read, and says why', async (context) => {
  const root = await folderOf(context, {
    'good.md': 'good',
    'copy.md': 'good',
    'empty.md': ' \n',
    'nul.txt': 'a\0b',
    'latin1.txt': Uint8Array.of(0x63, 0x61, 0x66, 0xe9),
    '.hidden/a.md': 'hidden',
    '.hidden.md': 'hidden too',
    id_rsa: 'key',
    '.env': 'PASSWORD=1',
    'notes.md': `-----BEGIN ${'RSA PRIVATE'} KEY-----`,
    'large.txt': 'x'.repeat(200),
    'picture.png': 'png',
    'node_modules/x/readme.md': 'dependency',
  });
  const { names, skipped } = await read([root], { maxFileBytes: 100 });
  assert.deepEqual(names, ['copy.md']);
  assert.deepEqual(skipped, {
    hidden: '2 .hidden',
    'key-like': '3 .env',
    dependencies: '1 node_modules',
    unsupported: '1 picture.png',
    empty: '1 empty.md',
    duplicate: '1 good.md',
    'too-large': '1 large.txt',
    binary: '2 latin1.txt',
  });
});

test('what is named explicitly is read, unless it looks like a key', async (context) => {
  const root = await folderOf(context, {
    '.gitignore': 'build/\n',
    '.git/HEAD': '',
    'build/notes.xyz': 'notes',
    '.hidden/a.md': 'hidden',
    'node_modules/x/readme.md': 'dependency',
    'build/deep/b.md': 'deep',
    id_rsa: 'key',
  });
  const paths = ['build/notes.xyz', 'build/deep', '.hidden', 'node_modules', 'id_rsa'].map((name) => join(root, name));
  const { names, skipped } = await read(paths);
  assert.deepEqual(names.sort(), ['.hidden/a.md', 'deep/b.md', 'node_modules/x/readme.md', 'notes.xyz']);
  assert.deepEqual(skipped, { 'key-like': '1 id_rsa' });
});

test('honours .gitignore of every folder as git does', async (context) => {
  const root = await folderOf(context, {
    '.git/info/exclude': 'private.md\n',
    '.gitignore': '*.log.txt\n/top.md\nout/\n!keep.log.txt\n',
    'top.md': 'ignored',
    'a.log.txt': 'ignored',
    'keep.log.txt': 'kept: taken back',
    'private.md': 'ignored',
    'out/x.md': 'ignored',
    'sub/top.md': 'kept: the rule is for the root only',
    'sub/.gitignore': 'inner.md\n!b.log.txt\n',
    'sub/inner.md': 'ignored',
    'sub/b.log.txt': 'kept: the deeper rule wins',
    'inner.md': 'kept: the rule is for sub',
  });
  const whole = await read([root]);
  assert.deepEqual(whole.names, ['inner.md', 'keep.log.txt', 'sub/b.log.txt', 'sub/top.md']);
  assert.equal(whole.skipped['git-ignored'], '5 a.log.txt');
  // The rules of the folders above hold for a part, too.
  assert.deepEqual((await read([join(root, 'sub')])).names, ['b.log.txt', 'top.md']);
});

test('symbolic links inside a folder are not followed: not out, not in a loop', async (context) => {
  const outside = await folderOf(context, { 'secret.md': 'outside' });
  const root = await folderOf(context, { 'a.md': 'inside', 'sub/b.md': 'b' });
  await symlink(outside, join(root, 'out'));
  await symlink(join(outside, 'secret.md'), join(root, 'out.md'));
  await symlink(root, join(root, 'sub', 'loop'));
  await symlink('nowhere', join(root, 'dangling.md'));
  const { names, skipped } = await read([root]);
  assert.deepEqual(names, ['a.md', 'sub/b.md']);
  assert.equal(skipped.link, '4 dangling.md');
  // A link that is given is followed.
  assert.deepEqual((await read([join(root, 'out')])).names, ['secret.md']);
});

test('the licence is the one stated nearest to the file', async (context) => {
  const root = await folderOf(context, {
    '.git/HEAD': '',
    LICENSE: 'Apache License\nVersion 2.0',
    'a.md': 'a',
    'pkg/package.json': '{"license":"MIT"}',
    'pkg/src/b.ts': 'b',
    'pkg/src/licence.ts': 'gnu affero general public license version 3: only a mention',
    'pkg/src/c.ts': '// SPDX-License-Identifier: BSD-3-Clause',
    'other/package.json': '{"license":"<b>"}',
    'other/d.md': 'd',
    'rows.jsonl': '{"text":"one","licence":"CC0-1.0"}\n{"text":"two"}',
  });
  const { documents } = await read([root]);
  const licences = Object.fromEntries(documents.map(({ name, licence }) => [name, licence]));
  assert.deepEqual(licences, {
    LICENSE: 'Apache-2.0',
    'a.md': 'Apache-2.0',
    'pkg/src/b.ts': 'MIT',
    'pkg/src/licence.ts': 'MIT',
    'pkg/src/c.ts': 'BSD-3-Clause',
    'other/d.md': 'Apache-2.0',
    'rows.jsonl:1': 'CC0-1.0',
    'rows.jsonl:2': 'Apache-2.0',
  });
  // A part of a repository has the repository's licence.
  assert.equal((await read([join(root, 'other')])).documents[0]!.licence, 'Apache-2.0');
});

test('a bad line is skipped and named; a file of bad lines is refused', async (context) => {
  const root = await folderOf(context, { 'a.jsonl': '{"words":"x"}\n{"words":"y"}\nnot json\n[1]\n' });
  const { names, skipped } = await read([root], { textField: 'words' });
  assert.deepEqual(names, ['a.jsonl:1', 'a.jsonl:2']);
  assert.equal(skipped['not-jsonl'], '2 a.jsonl:3');
  await assert.rejects(readDocuments([root]), { code: 'jsonl-malformed' });
});

test('the member that holds the text is found by its usual names, in every line the same', async (context) => {
  const root = await folderOf(context, {
    'a.jsonl': '{"body":"no","content":"a"}\n{"body":"no","content":"b"}\n{"body":"c"}\n',
    'b.jsonl': '{"id":1}\n{"text":2,"body":"d"}\n{"body":"e","text":"no"}\n',
  });
  const { documents, skipped } = await read([root]);
  assert.deepEqual(
    documents.map(({ text }) => text),
    ['a', 'b', 'd', 'e'],
  );
  assert.equal(skipped['not-jsonl'], '2 a.jsonl:3');
});

test('gzip is looked through, and no further than the limit', async (context) => {
  const zeros = gzipSync(Buffer.alloc(2 ** 22, 'z'));
  assert.ok(zeros.length < 8000, 'a bomb is small');
  const whole = gzipSync('some text of a file that is cut');
  const root = await folderOf(context, {
    'a.md.gz': gzipSync('# A'),
    'b.jsonl.gz': gzipSync('{"text":"one"}\n{"text":"two"}\n'),
    'bomb.txt.gz': zeros,
    'broken.txt.gz': 'plain after all',
    'cut.txt.gz': whole.subarray(0, whole.length - 9),
    'inner.bin.gz': gzipSync('x'),
    'nul.txt.gz': gzipSync('\0'),
    'two.txt.gz.gz': gzipSync(gzipSync('x')),
    'x.parquet.gz': gzipSync('x'),
    'y.TXT.GZ': Buffer.concat([gzipSync('in '), gzipSync('two members')]),
  });
  const { documents, skipped } = await read([root], { maxFileBytes: 2 ** 20 });
  assert.deepEqual(
    documents.map(({ name, text }) => [name, text]),
    [
      ['a.md.gz', '# A'],
      ['b.jsonl.gz:1', 'one'],
      ['b.jsonl.gz:2', 'two'],
      ['y.TXT.GZ', 'in two members'],
    ],
  );
  assert.deepEqual(skipped, {
    inflated: '1 bomb.txt.gz',
    damaged: '2 broken.txt.gz',
    unsupported: '3 inner.bin.gz',
    binary: '1 nul.txt.gz',
  });
});

test('progress is told of each file, with what was taken so far', async (context) => {
  const root = await folderOf(context, { 'a.md': 'aaaa', 'b.jsonl': '{"text":"bb"}\n{"text":"cc"}\n' });
  const told: unknown[] = [];
  await read([root], { onProgress: (progress: unknown) => told.push(progress) });
  assert.deepEqual(told, [
    { file: 'a.md', documents: 1, bytes: 4 },
    { file: 'b.jsonl', documents: 3, bytes: 8 },
  ]);
});

test('a limit on the whole stops at the first document that does not fit', async (context) => {
  const root = await folderOf(context, { 'a.md': 'aaaa', 'b.md': 'b'.repeat(90), 'c.md': 'c', 'd.md': 'd' });
  const { names, skipped } = await read([root], { maxBytes: 50 });
  assert.deepEqual(names, ['a.md']);
  assert.equal(skipped['over-limit'], '3 b.md');
});

test('the order of the arguments does not matter, and nothing is read twice', async (context) => {
  const root = await folderOf(context, { 'x/a.md': 'a', 'y/a.md': 'b' });
  const [x, y] = [join(root, 'x'), join(root, 'y')];
  assert.deepEqual(await read([y, x, y]), await read([x, y]));
  assert.deepEqual((await read([x, y])).names, ['x/a.md', 'y/a.md']);
});

test('a path that is not there, and a folder without text, are refused with the next step', async (context) => {
  await assert.rejects(readDocuments(['/no/such/folder']), (error: WorldError) => {
    assert.equal(error.code, 'data-unreadable');
    assert.match(error.message, /^\/no\/such\/folder does not exist/);
    assert.ok(error.help);
    return true;
  });
  const root = await folderOf(context, { 'a.bin': 'x', '.b': 'x', 'c.md': '' });
  await assert.rejects(readDocuments([root]), (error: WorldError) => {
    assert.equal(error.code, 'data-empty');
    assert.match(error.message, /1 hidden, 1 type not read, 1 empty/);
    assert.equal(error.facts.hidden, 1);
    assert.match(error.help, /--data/);
    return true;
  });
});
