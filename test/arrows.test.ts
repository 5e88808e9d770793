/** Arrows between packages point one way. Reads every import of every source file and every package.json. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

const GROUND = ['core', 'records'];
const AGREEMENT = [...GROUND, 'ledger', 'protocol'];
const LEARNING = [...GROUND, 'tensor', 'model', 'data', 'training'];
const NODE = [...new Set([...AGREEMENT, ...LEARNING, 'verify'])];

/** What each package may import of the others: ARCHITECTURE.md in one table. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  core: [],
  records: ['core'],
  ledger: GROUND,
  protocol: [...GROUND, 'ledger'],
  tensor: GROUND,
  model: [...GROUND, 'tensor'],
  data: [...GROUND, 'tensor', 'model'],
  training: [...GROUND, 'tensor', 'model', 'data'],
  verify: [...LEARNING, 'protocol'],
  serve: [...AGREEMENT, ...LEARNING],
  network: ['core'],
  store: ['core'],
  node: NODE,
  adversaries: [...NODE, 'node'],
  sim: [...NODE, 'node', 'adversaries', 'network', 'store', 'serve'],
  // `folkmoot sim` shows people the simulated world; nothing of it is near a member that works.
  cli: [...NODE, 'node', 'adversaries', 'network', 'store', 'serve', 'sim'],
};

/** They run in a browser unchanged: Node's modules only in files whose name says so. */
const PORTABLE = ['core', 'records', 'ledger', 'protocol', 'tensor', 'model', 'data', 'training', 'verify'];
const NODE_ONLY_FILE = /[./]node\.ts$/;
const TEST_FILE = /\.test\.ts$|\.test-support\.ts$/;

interface Manifest {
  readonly dependencies: ReadonlySet<string>;
  readonly devDependencies: ReadonlySet<string>;
}

test('every import follows an arrow and is declared', () => {
  const rootManifest = readManifest('package.json');
  const wrong = sourceFiles().flatMap(({ path, owner, manifest }) =>
    importsOf(readFileSync(`${root}${path}`, 'utf8')).flatMap((specifier) => {
      const problem = problemOf(specifier, path, owner, readManifest(manifest), rootManifest);
      return problem === undefined ? [] : [`${path}: ${problem}`];
    }),
  );
  assert.deepEqual(wrong, []);
});

test('every declared dependency between packages is an allowed arrow', () => {
  for (const [owner, allowed] of Object.entries(ALLOWED)) {
    const path = owner === 'cli' ? 'apps/cli/package.json' : `packages/${owner}/package.json`;
    const declared = [...readManifest(path).dependencies].flatMap((name) => name.match(/^@folkmoot\/(.*)/)?.[1] ?? []);
    const climbing = declared.filter((name) => !allowed.includes(name));
    assert.deepEqual(climbing, [], `${path} may not depend on these`);
  }
});

test('every package has its place in the table', () => {
  const found = globSync('{packages,apps}/*/package.json', { cwd: root }).map((path) => path.split(/[/\\]/)[1]!);
  assert.deepEqual(found.sort(), Object.keys(ALLOWED).sort());
});

test('the scanner sees every form of import, and only imports', () => {
  const text = `
    import { a } from './a.ts';
    import type { B } from "pkg-b";
    import * as c from 'pkg-c/sub';
    import 'side-effect';
    import d, {
      e, // 'not this'
    } from '@scope/d';
    export * from './f.ts';
    export { g } from 'g';
    const h = await import('h');
    type I = import('i').I;
    const j = require('j'); // a comment that says import('no')
    /* import { k } from 'no'; */
    const s = "import { l } from 'no'";
    const t = \`import('no') \${x}\`;
    const u = import.meta.url;
    const v = Array.from('no');
    export const from = 'no';
  `;
  const expected = ['./a.ts', 'pkg-b', 'pkg-c/sub', 'side-effect', '@scope/d', './f.ts', 'g', 'h', 'i', 'j'];
  assert.deepEqual(importsOf(text).sort(), expected.sort());
});

test('violations are seen', () => {
  const manifest = {
    dependencies: new Set(['@folkmoot/core', '@folkmoot/node', 'zod']),
    devDependencies: new Set<string>(),
  };
  const none = { dependencies: new Set<string>(), devDependencies: new Set(['fast-check']) };
  const check = (specifier: string, path: string, owner: string) => problemOf(specifier, path, owner, manifest, none);
  const source = 'packages/protocol/src/round.ts';
  assert.match(check('@folkmoot/node', source, 'protocol')!, /climbs/);
  assert.match(check('@folkmoot/ledger', source, 'protocol')!, /not declared/);
  assert.match(check('libp2p', source, 'protocol')!, /not declared/);
  assert.match(check('fast-check', source, 'protocol')!, /not declared/);
  assert.match(check('node:fs', source, 'protocol')!, /browser/);
  assert.match(check('fs', source, 'protocol')!, /browser/);
  assert.match(check('@folkmoot/core/node', source, 'protocol')!, /browser/);
  assert.match(check('./engines/node.ts', source, 'protocol')!, /browser/);
  assert.match(check('./disk.node.ts', source, 'protocol')!, /browser/);
  assert.match(check('../../core/src/hash.ts', source, 'protocol')!, /leaves its package/);
  assert.match(check('@folkmoot/core/src/hash.ts', source, 'protocol')!, /inside/);
  assert.equal(check('@folkmoot/core', source, 'protocol'), undefined);
  assert.equal(check('zod', source, 'protocol'), undefined);
  assert.equal(check('./disk.node.ts', 'packages/protocol/src/node.ts', 'protocol'), undefined);
  assert.equal(check('node:fs', 'packages/protocol/src/disk.node.ts', 'protocol'), undefined);
  assert.equal(check('node:fs', 'packages/protocol/src/round.test.ts', 'protocol'), undefined);
  assert.equal(check('fast-check', 'packages/protocol/src/round.test.ts', 'protocol'), undefined);
  assert.equal(check('@folkmoot/sim', 'packages/protocol/src/round.test.ts', 'protocol'), undefined);
  assert.equal(check('node:fs', 'packages/store/src/disk.ts', 'store'), undefined);
});

// ---- One import -------------------------------------------------------------------------------------------------

/** What is wrong with one import, or `undefined`. */
function problemOf(
  specifier: string,
  path: string,
  owner: string,
  manifest: Manifest,
  rootManifest: Manifest,
): string | undefined {
  const isTest = TEST_FILE.test(path);
  const needsBrowser = PORTABLE.includes(owner) && !isTest && !NODE_ONLY_FILE.test(path);
  const isNodes = specifier.startsWith('node:') || builtinModules.includes(specifier);
  // A file or an entry point for Node brings Node's modules along.
  if (needsBrowser && (isNodes || NODE_ONLY_FILE.test(specifier) || /^@folkmoot\/[^/]+\/node$/.test(specifier))) {
    return `"${specifier}": ${owner} runs in a browser; put this in a *.node.ts file`;
  }
  if (isNodes || specifier.startsWith('#')) return undefined;
  if (specifier.startsWith('.'))
    return leavesPackage(specifier, path) ? `"${specifier}" leaves its package` : undefined;
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  const target = name.match(/^@folkmoot\/(.*)/)?.[1];
  if (target !== undefined && specifier.includes('/src/')) return `"${specifier}" reaches inside ${target}`;
  if (target !== undefined && owner in ALLOWED && !isTest && !ALLOWED[owner]!.includes(target)) {
    return `"${specifier}" climbs: ${owner} may import ${ALLOWED[owner]!.join(', ') || 'nothing'}`;
  }
  const isDeclared =
    manifest.dependencies.has(name) ||
    (isTest && (manifest.devDependencies.has(name) || rootManifest.devDependencies.has(name))) ||
    // A test next to its code may simulate: Node finds sim among the root's dependencies.
    (isTest && target === 'sim');
  return isDeclared ? undefined : `"${specifier}" is not declared in its package.json`;
}

function leavesPackage(specifier: string, path: string): boolean {
  const folder = path.split('/').slice(0, 2).join('/');
  const target = new URL(specifier, `file:///${path}`).pathname.slice(1);
  // `bench/` and `test/` are the assembly's own; only the command line runs the former, the fuzzers and the chaos.
  if (path.startsWith('apps/cli/') && /^(bench|test\/fuzz|test\/chaos)\//.test(target)) return false;
  return path.includes('/src/') && !target.startsWith(`${folder}/`);
}

// ---- Reading ----------------------------------------------------------------------------------------------------

function sourceFiles(): { path: string; owner: string; manifest: string }[] {
  const inPackages = globSync('{packages,apps}/*/src/**/*.ts', { cwd: root }).map((native) => {
    const path = native.replaceAll('\\', '/');
    const [group, owner] = path.split('/') as [string, string];
    return { path, owner, manifest: `${group}/${owner}/package.json` };
  });
  // The root's own files use its devDependencies; they stand above every package.
  const atRoot = globSync('{test,bench,examples}/**/*.ts', { cwd: root }).map((native) => {
    return { path: native.replaceAll('\\', '/'), owner: 'root', manifest: 'package.json' };
  });
  return [...inPackages, ...atRoot];
}

function readManifest(path: string): Manifest {
  const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(`${root}${path}`, 'utf8'));
  const dev = Object.keys(devDependencies);
  return {
    dependencies: new Set([...Object.keys(dependencies), ...(path === 'package.json' ? dev : [])]),
    devDependencies: new Set(dev),
  };
}

/** What one pass over a text may meet: comments and template literals to skip, strings, identifiers, the rest. */
const LEXEME = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|`(?:\\[\s\S]|[^`\\])*`|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|[\w$]+|\S/g;

/** The module specifiers that a TypeScript text imports, exports from, or requires. */
function importsOf(text: string): string[] {
  const lexemes = (text.match(LEXEME) ?? []).filter((lexeme) => !/^(\/\/|\/\*)/.test(lexeme));
  return lexemes.flatMap((lexeme, i) => {
    if (!/^['"]/.test(lexeme)) return [];
    const [before, last] = [lexemes[i - 2], lexemes[i - 1]];
    const isStatic = last === 'import' || last === 'from';
    const isCall = last === '(' && (before === 'import' || before === 'require');
    return isStatic || isCall ? [lexeme.slice(1, -1)] : [];
  });
}
