import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { defaultDocuments, fairShare } from './default-documents.node.ts';
import { isPermissive } from './licence.ts';

const STORE = 'node_modules/.pnpm';

async function workspaceOf(context: TestContext, files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'folkmoot default '));
  context.after(() => rm(root, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, STORE, name)), { recursive: true });
    await writeFile(join(root, STORE, name), content);
  }
  return root;
}

const manifest = (name: string, version: string, licence: string, more = {}) =>
  JSON.stringify({ name, version, license: licence, ...more });

test('documentation and source of permissive packages, once each', async (context) => {
  const root = await workspaceOf(context, {
    'a@1.0.0/node_modules/a/package.json': manifest('a', '1.0.0', 'MIT'),
    'a@1.0.0/node_modules/a/README.md': 'old',
    'a@1.10.0/node_modules/a/package.json': manifest('a', '1.10.0', 'MIT'),
    'a@1.10.0/node_modules/a/README.md': 'read me',
    'a@1.10.0/node_modules/a/README.de.md': 'lies mich',
    'a@1.10.0/node_modules/a/src/x.ts': 'typescript',
    'a@1.10.0/node_modules/a/src/x.test.ts': 'test',
    'a@1.10.0/node_modules/a/dist/x.js': 'built from it',
    'a@1.9.0/node_modules/a/package.json': manifest('a', '1.9.0', 'MIT'),
    'a@1.9.0/node_modules/a/README.md': 'older',
    '@s+b@2.0.0/node_modules/@s/b/package.json': manifest('@s/b', '2.0.0', '(MIT OR CC0-1.0)'),
    '@s+b@2.0.0/node_modules/@s/b/index.js': 'javascript',
    '@s+b@2.0.0/node_modules/@s/b/index.cjs': 'javascript again',
    '@s+b@2.0.0/node_modules/@s/b/index.d.ts': 'declarations',
    '@s+b@2.0.0/node_modules/@s/b/index.min.js': 'minified',
    '@s+b@2.0.0/node_modules/@s/b/table.js': `${'short\n'.repeat(100)}${'y'.repeat(3000)}`,
    '@s+b@2.0.0/node_modules/@s/b/wide.js': `${'z'.repeat(300)}\n`.repeat(5),
    'gpl@1.0.0/node_modules/gpl/package.json': manifest('gpl', '1.0.0', 'GPL-3.0'),
    'gpl@1.0.0/node_modules/gpl/README.md': 'copyleft',
    'os@1.0.0/node_modules/os/package.json': manifest('os', '1.0.0', 'MIT', { os: ['linux'] }),
    'os@1.0.0/node_modules/os/README.md': 'for one system',
    'odd@1.0.0/node_modules/odd/package.json': '{',
  });
  await symlink('../../gpl@1.0.0/node_modules/gpl', join(root, STORE, 'a@1.10.0/node_modules/gpl'));
  const { documents, summary } = await defaultDocuments(root);
  assert.deepEqual(
    documents.map(({ name, text, licence }) => [name, text, licence]),
    [
      ['@s/b@2.0.0/index.js', 'javascript', '(MIT OR CC0-1.0)'],
      ['a@1.10.0/README.md', 'read me', 'MIT'],
      ['a@1.10.0/src/x.ts', 'typescript', 'MIT'],
    ],
  );
  const some = await defaultDocuments(root, undefined, new Set(['a@1.9.0', 'gpl@1.0.0', 'absent@1.0.0']));
  assert.deepEqual(
    some.documents.map(({ name }) => name),
    ['a@1.9.0/README.md'],
  );
  assert.deepEqual([...summary.skipped], [['generated', { count: 2, first: '@s/b@2.0.0/table.js' }]]);
});

test('nothing installed: refused with the next step', async (context) => {
  const root = await workspaceOf(context, {});
  await assert.rejects(defaultDocuments(root), { code: 'data-empty', help: /pnpm install/ });
});

test('the project itself offers megabytes of permissive text, the same each time, within the limit', async () => {
  const root = join(import.meta.dirname, '..', '..', '..');
  const { documents, summary } = await defaultDocuments(root, 2 ** 21);
  assert.ok(summary.bytes > 2 ** 20 && summary.bytes <= 2 ** 21, `${summary.bytes} bytes`);
  assert.equal(
    summary.bytes,
    documents.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  assert.ok(documents.every(({ licence, name }) => isPermissive(licence) && !name.startsWith('/')));
  assert.deepEqual((await defaultDocuments(root, 2 ** 21)).documents, documents);
  // No package outweighs the others.
  const sizes = new Map<string, number>();
  for (const { name, bytes } of documents) {
    const source = name.slice(0, name.indexOf('/', name.startsWith('@') ? name.indexOf('/') + 1 : 0));
    sizes.set(source, (sizes.get(source) ?? 0) + bytes);
  }
  assert.ok(Math.max(...sizes.values()) < summary.bytes / 8);
});

test('a share is as large as it can be', () => {
  const taken = (sizes: number[], share: number) => sizes.reduce((sum, size) => sum + Math.min(size, share), 0);
  fc.assert(
    fc.property(fc.array(fc.nat(1000)), fc.integer({ min: 1, max: 5000 }), (sizes, limit) => {
      const share = fairShare(sizes, limit);
      assert.ok(taken(sizes, share) <= limit);
      if (taken(sizes, Number.POSITIVE_INFINITY) > limit) assert.ok(taken(sizes, share + 1) > limit);
    }),
  );
});
