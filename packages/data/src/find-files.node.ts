/** The files of a folder that may be read, in an order that depends on their names alone. */
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { compareNames, type DocumentCollector, type SkipReason } from './documents.ts';
import { type FileType, fileType } from './file-types.ts';
import { GitIgnore } from './git-ignore.node.ts';
import { isKeyLikeName } from './secrets.ts';

export interface FoundFile {
  readonly path: string;
  readonly name: string;
  readonly type: Exclude<FileType, 'unsupported'>;
}

/**
 * Files under `folder`, sorted by name; `label` stands before their names. What is left out is counted in `collector`.
 *
 * Symbolic links are not followed: what they point to inside the folder is met under its own name, what is outside was
 * not given, and there can be no loop.
 */
export async function findFiles(folder: string, label: string, collector: DocumentCollector): Promise<FoundFile[]> {
  const files: FoundFile[] = [];
  await walk(folder, label, await GitIgnore.above(folder));
  return files.sort((a, b) => compareNames(a.name, b.name));

  async function walk(at: string, prefix: string, above: GitIgnore): Promise<void> {
    const entries = await readdir(at, { withFileTypes: true }).catch(() => undefined);
    if (!entries) return collector.skip('unreadable', prefix);
    const rules = await above.enter(at);
    for (const entry of entries.sort((a, b) => compareNames(a.name, b.name))) {
      const path = join(at, entry.name);
      const name = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
      const reason = refusal(entry, path, rules);
      if (reason) collector.skip(reason, name);
      else if (entry.isDirectory()) await walk(path, name, rules);
      else files.push({ path, name, type: fileType(entry.name) as FoundFile['type'] });
    }
  }
}

function refusal(entry: Dirent, path: string, rules: GitIgnore): SkipReason | undefined {
  if (entry.isSymbolicLink()) return 'link';
  if (entry.isFile() && isKeyLikeName(entry.name)) return 'key-like';
  if (entry.name.startsWith('.')) return 'hidden';
  if (entry.isDirectory() && entry.name === 'node_modules') return 'dependencies';
  if (rules.ignores(path, entry.isDirectory())) return 'git-ignored';
  if (!entry.isDirectory() && (!entry.isFile() || fileType(entry.name) === 'unsupported')) return 'unsupported';
  return undefined;
}
