/**
 * The default data: documentation and source text of the project's own dependencies, under permissive licences.
 *
 * Real text, already on the machine, with a licence for each document.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { assert, fromUtf8, WorldError } from '@folkmoot/core';
import { compareNames, DocumentCollector } from './documents.ts';
import { type InstalledPackage, installedPackages } from './installed-packages.node.ts';
import { isPermissive } from './licence.ts';
import type { DocumentsRead } from './read-documents.node.ts';

const MIB = 2 ** 20;
export const MAX_DEFAULT_BYTES = 32 * MIB;
/** A larger file is most likely a bundle or a table. */
const MAX_FILE_BYTES = MIB / 4;

interface SourceFile {
  readonly path: string;
  /** From the package's folder, with `/`. */
  readonly name: string;
  readonly bytes: number;
}

interface PackageFiles {
  readonly package: InstalledPackage;
  /** Documentation first, then source, each sorted by name. */
  readonly files: readonly SourceFile[];
  readonly bytes: number;
}

/**
 * Documents of at most `maxBytes` together (default 8 MiB, at most 32), called `package@version/file`.
 *
 * The same for the same installed packages, or for those of `only`, as `name@version`. Large packages share what small ones
 * leave, so that no package outweighs many others. Throws `data-empty` where nothing is installed under `workspaceRoot`.
 */
export async function defaultDocuments(
  workspaceRoot: string,
  maxBytes = 8 * MIB,
  only?: ReadonlySet<string>,
): Promise<DocumentsRead> {
  assert(maxBytes > 0 && maxBytes <= MAX_DEFAULT_BYTES, 'default data is at most 32 MiB');
  const installed = await installedPackages(workspaceRoot, only);
  const packages = installed.filter(({ licence }) => licence && isPermissive(licence));
  const chosen = await Promise.all(packages.map(chooseFiles));
  const share = fairShare(
    chosen.map(({ bytes }) => bytes),
    maxBytes,
  );
  const collector = new DocumentCollector(maxBytes);
  for (const each of chosen) await readPackageInto(collector, each, share);
  const summary = collector.summary();
  if (summary.documents === 0)
    throw new WorldError('data-empty', 'No installed dependency offers text to train on.', {
      facts: { packages: packages.length },
      help: 'Run `pnpm install` in the project first, or give text of your own with --data.',
    });
  return { documents: collector.documents, summary };
}

async function readPackageInto(collector: DocumentCollector, { package: source, files }: PackageFiles, share: number) {
  let left = share;
  for (const file of files) {
    const name = `${source.name}@${source.version}/${file.name}`;
    if (file.bytes > left) {
      collector.skip('over-limit', name);
      continue;
    }
    const text = await readFile(file.path).then(fromUtf8, () => undefined);
    if (text === undefined) collector.skip('unreadable', name);
    else if (text.includes('\0')) collector.skip('binary', name);
    else if (isGenerated(text)) collector.skip('generated', name);
    else left -= collector.add(name, text, source.licence);
  }
}

/** The largest share so that packages of these sizes, none taking more than it, fit into `limit` together. */
export function fairShare(sizes: readonly number[], limit: number): number {
  let left = limit;
  const ascending = [...sizes].sort((a, b) => a - b);
  for (const [i, size] of ascending.entries()) {
    const share = Math.floor(left / (ascending.length - i));
    if (size > share) return share;
    left -= size;
  }
  return limit;
}

/** Minified code and tables: lines that nobody wrote by hand. */
function isGenerated(text: string): boolean {
  const lines = text.split('\n');
  return text.length / lines.length > 200 || lines.some((line) => line.length > 2000);
}

const SKIPPED_FOLDERS = /^(node_modules|locales?|translations?|i18n|umd|vendor|fixtures?|benchmarks?|coverage|\..*)$/;
// A test repeats the code that it tests; a translated README repeats the README.
const SKIPPED_FILES = /\.min\.|\.bundle\.|\.generated\.|\.(test|spec|bench)\.|^readme[-_.][a-z-]+\.md$/i;

async function chooseFiles(source: InstalledPackage): Promise<PackageFiles> {
  const all = (await filesIn(source.folder)).map((path) => relative(source.folder, path).split(sep).join('/'));
  const documentation = all.filter((name) => name.endsWith('.md')).sort(compareNames);
  const names = [...documentation, ...sourceOf(all).sort(compareNames)];
  const sized = await Promise.all(
    names.map(async (name) => {
      const path = join(source.folder, name);
      return { path, name, bytes: (await stat(path)).size };
    }),
  );
  const files = sized.filter(({ bytes }) => bytes > 0 && bytes <= MAX_FILE_BYTES);
  return { package: source, files, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** TypeScript source where there is some, else JavaScript, else declarations: the rest repeats it. */
function sourceOf(names: readonly string[]): string[] {
  const declarations = names.filter((name) => /\.d\.[cm]?ts$/.test(name));
  const typescript = names.filter((name) => /\.[cm]?tsx?$/.test(name) && !declarations.includes(name));
  if (typescript.length > 0) return typescript;
  for (const pattern of [/\.js$/, /\.mjs$/, /\.cjs$/]) {
    const found = names.filter((name) => pattern.test(name));
    if (found.length > 0) return found;
  }
  return declarations;
}

async function filesIn(folder: string): Promise<string[]> {
  const files: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !SKIPPED_FOLDERS.test(entry.name)) files.push(...(await filesIn(path)));
    else if (entry.isFile() && !entry.name.startsWith('.') && !SKIPPED_FILES.test(entry.name)) files.push(path);
  }
  return files;
}
