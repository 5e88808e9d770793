/** Documents from files and folders of this machine. */
import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { fromUtf8, WorldError } from '@folkmoot/core';
import {
  DocumentCollector,
  type ReadSummary,
  SKIP_REASONS,
  type SkipReason,
  type SourceDocument,
} from './documents.ts';
import { fileType } from './file-types.ts';
import { type FoundFile, findFiles } from './find-files.node.ts';
import { repositoryOf } from './git-ignore.node.ts';
import { parseJsonl } from './jsonl.ts';
import { licenceOfHeader } from './licence.ts';
import { LicenceFinder } from './licence-finder.node.ts';
import { isKeyLikeName } from './secrets.ts';

const MIB = 2 ** 20;

export interface ReadOptions {
  /** All documents together; default 256 MiB. Later names are left out. */
  readonly maxBytes?: number;
  /** A larger file is skipped; default 8 MiB. */
  readonly maxFileBytes?: number;
  /** A larger JSONL file is skipped; default 256 MiB. Its documents are its lines, so it is large more often. */
  readonly maxJsonlBytes?: number;
  /** The member of a JSONL line that holds its text; default `text`. */
  readonly textField?: string;
}

export interface DocumentsRead {
  readonly documents: SourceDocument[];
  readonly summary: ReadSummary;
}

/**
 * Reads text, Markdown, source code and JSONL under `paths`, in the order of their names.
 *
 * Left out and counted: see `SKIP_REASONS`. A path that is named explicitly is read even if it is hidden, git-ignored, in
 * `node_modules`, a symbolic link or of an unknown type, but never if it looks like a key. Throws `data-unreadable`,
 * `jsonl-malformed`, `data-empty`.
 */
export async function readDocuments(paths: readonly string[], options: ReadOptions = {}): Promise<DocumentsRead> {
  const collector = new DocumentCollector(options.maxBytes ?? 256 * MIB);
  // Sorted, so that the order of the arguments does not matter.
  for (const path of [...new Set(await Promise.all(paths.map(resolvePath)))].sort()) {
    const isFolder = (await stat(path)).isDirectory();
    const top = (await repositoryOf(isFolder ? path : dirname(path))) ?? (isFolder ? path : dirname(path));
    const licences = new LicenceFinder(top);
    const files = isFolder ? await findFiles(path, labelOf(path, paths.length), collector) : named(path, collector);
    for (const file of files) await readFileInto(collector, file, licences, options);
  }
  const summary = collector.summary();
  if (summary.documents === 0) throw nothingUsable(paths, summary);
  return { documents: collector.documents, summary };
}

async function resolvePath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** One folder needs no label; of several, each is called by its own name. */
function labelOf(folder: string, folders: number): string {
  return folders === 1 ? '' : basename(folder);
}

function named(path: string, collector: DocumentCollector): FoundFile[] {
  const name = basename(path);
  if (!isKeyLikeName(name)) return [{ path, name, type: fileType(name) === 'jsonl' ? 'jsonl' : 'text' }];
  collector.skip('key-like', name);
  return [];
}

async function readFileInto(
  collector: DocumentCollector,
  file: FoundFile,
  licences: LicenceFinder,
  options: ReadOptions,
): Promise<void> {
  if (collector.full) return collector.skip('over-limit', file.name);
  const { maxFileBytes = 8 * MIB, maxJsonlBytes = 256 * MIB, textField = 'text' } = options;
  const content = await readText(file.path, file.type === 'jsonl' ? maxJsonlBytes : maxFileBytes);
  if ('reason' in content) return collector.skip(content.reason, file.name);
  const licence = await licences.licenceOf(dirname(file.path));
  if (file.type === 'text') {
    collector.add(file.name, content.text, licenceOfHeader(content.text) ?? licence);
    return;
  }
  const { lines, bad } = parseJsonl(file.name, content.text, textField);
  for (const line of bad) collector.skip('not-jsonl', `${file.name}:${line}`);
  for (const line of lines) collector.add(`${file.name}:${line.line}`, line.text, line.licence ?? licence);
}

async function readText(path: string, maxBytes: number): Promise<{ text: string } | { reason: SkipReason }> {
  let bytes: Uint8Array;
  try {
    if ((await stat(path)).size > maxBytes) return { reason: 'too-large' };
    bytes = await readFile(path);
  } catch {
    return { reason: 'unreadable' };
  }
  if (bytes.includes(0)) return { reason: 'binary' };
  try {
    return { text: fromUtf8(bytes) };
  } catch {
    return { reason: 'binary' };
  }
}

function unreadable(path: string, cause: unknown): WorldError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
  const what = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`;
  return new WorldError('data-unreadable', `${path} ${what}.`, {
    facts: { path, cause: code },
    help: 'Check the path and its permissions.',
    cause,
  });
}

function nothingUsable(paths: readonly string[], summary: ReadSummary): WorldError {
  const facts: Record<string, string | number> = { paths: paths.join(' ') };
  const reasons: string[] = [];
  for (const [reason, { count }] of summary.skipped) {
    facts[reason] = count;
    reasons.push(`${count} ${SKIP_REASONS[reason]}`);
  }
  const found = reasons.length > 0 ? `skipped: ${reasons.join(', ')}` : 'no file at all';
  return new WorldError('data-empty', `There is no text to train on in ${paths.join(', ')} (${found}).`, {
    facts,
    help: 'Give folders or files of text, Markdown, source code or JSONL; or leave --data out to use the default.',
  });
}
