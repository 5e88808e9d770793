/** Documents from files and folders of this machine. */
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { WorldError } from '@folkmoot/core';
import { DocumentCollector, type ReadSummary, SKIP_REASONS, type SourceDocument } from './documents.ts';
import { fileType } from './file-types.ts';
import { type FoundFile, findFiles } from './find-files.node.ts';
import { repositoryOf } from './git-ignore.node.ts';
import { LicenceFinder } from './licence-finder.node.ts';
import { FileReader, type ReadLimits } from './read-file.node.ts';
import { isKeyLikeName } from './secrets.ts';

const MIB = 2 ** 20;

export interface ReadOptions extends ReadLimits {
  /** All documents together; default 256 MiB. Later names are left out. */
  readonly maxBytes?: number;
  /** The Parquet column or the member of a JSONL line that holds the text; default: the first usual name, see `TEXT_FIELDS`. */
  readonly textField?: string;
  /** Told after each file and each few megabytes of a long one. */
  readonly onProgress?: (progress: ReadProgress) => void;
}

export interface ReadProgress {
  /** Being read. */
  readonly file: string;
  /** Taken so far. */
  readonly documents: number;
  readonly bytes: number;
}

export interface DocumentsRead {
  readonly documents: SourceDocument[];
  readonly summary: ReadSummary;
}

/**
 * Reads text, Markdown, source code, JSONL and Parquet under `paths`, in the order of their names; all but Parquet also
 * from `.gz`.
 *
 * Left out and counted: see `SKIP_REASONS`. A path that is named explicitly is read even if it is hidden, git-ignored, in
 * `node_modules`, a symbolic link or of an unknown type, but never if it looks like a key. Throws `data-unreadable`,
 * `jsonl-malformed`, `parquet-no-text`, `data-empty`.
 */
export async function readDocuments(paths: readonly string[], options: ReadOptions = {}): Promise<DocumentsRead> {
  const collector = new DocumentCollector(options.maxBytes ?? 256 * MIB);
  const { onProgress } = options;
  // Sorted, so that the order of the arguments does not matter.
  for (const path of [...new Set(await Promise.all(paths.map(resolvePath)))].sort()) {
    const isFolder = (await stat(path)).isDirectory();
    const top = (await repositoryOf(isFolder ? path : dirname(path))) ?? (isFolder ? path : dirname(path));
    const reader = new FileReader(collector, new LicenceFinder(top), options);
    const files = isFolder ? await findFiles(path, labelOf(path, paths.length), collector) : named(path, collector);
    for (const file of files) for await (const _ of reader.read(file)) onProgress?.(progressOf(file, collector));
  }
  const summary = collector.summary();
  if (summary.documents === 0) throw nothingUsable(paths, summary);
  return { documents: collector.documents, summary };
}

function progressOf({ name }: FoundFile, collector: DocumentCollector): ReadProgress {
  return { file: name, documents: collector.documents.length, bytes: collector.bytes };
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
  if (!isKeyLikeName(name)) {
    const type = fileType(name);
    return [{ path, name, type: type === 'unsupported' ? 'text' : type }];
  }
  collector.skip('key-like', name);
  return [];
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
    help: 'Give folders or files of text, Markdown, source code, JSONL or Parquet; or leave --data out to use the default.',
  });
}
