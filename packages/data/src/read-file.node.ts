/** One file's documents: plain text is one, a line of JSONL is one, a row of Parquet is one. */
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fromUtf8 } from '@folkmoot/core';
import type { DocumentCollector, SkipReason } from './documents.ts';
import { isGzipName } from './file-types.ts';
import type { FoundFile } from './find-files.node.ts';
import { gunzipFile } from './gunzip.node.ts';
import { parseJsonl } from './jsonl.ts';
import { licenceOfHeader } from './licence.ts';
import type { LicenceFinder } from './licence-finder.node.ts';
import { readParquet } from './parquet.node.ts';

const MIB = 2 ** 20;
/** A table that repeats its rows costs time without ever filling the collector. */
const MAX_PARQUET_BYTES = 4096 * MIB;

export interface ReadLimits {
  /** A larger file is skipped, and one that is larger once decompressed; default 8 MiB. */
  readonly maxFileBytes?: number;
  /** The same for JSONL; default 256 MiB. Its documents are its lines, so it is large more often. */
  readonly maxJsonlBytes?: number;
}

/** Reads files into a collector, and counts there what it cannot read. */
export class FileReader {
  readonly #collector: DocumentCollector;
  readonly #licences: LicenceFinder;
  readonly #options: ReadLimits & { readonly textField?: string };

  constructor(
    collector: DocumentCollector,
    licences: LicenceFinder,
    options: ReadLimits & { readonly textField?: string },
  ) {
    this.#collector = collector;
    this.#licences = licences;
    this.#options = options;
  }

  /** Yields whenever a part of `file` has been taken. Throws `jsonl-malformed`, `parquet-no-text`. */
  async *read(file: FoundFile): AsyncGenerator<void> {
    if (this.#collector.full) return this.#collector.skip('over-limit', file.name);
    const licence = await this.#licences.licenceOf(dirname(file.path));
    if (file.type === 'parquet') return yield* this.#readParquet(file, licence);
    const { maxFileBytes = 8 * MIB, maxJsonlBytes = 256 * MIB, textField } = this.#options;
    const content = await readText(file.path, file.type === 'jsonl' ? maxJsonlBytes : maxFileBytes);
    if ('reason' in content) return this.#collector.skip(content.reason, file.name);
    if (file.type === 'jsonl') this.#readJsonl(file.name, content.text, textField, licence);
    else this.#collector.add(file.name, content.text, licenceOfHeader(content.text) ?? licence);
    yield;
  }

  #readJsonl(name: string, content: string, field: string | undefined, licence: string | undefined): void {
    const { lines, bad } = parseJsonl(name, content, field);
    for (const line of bad) this.#collector.skip('not-jsonl', `${name}:${line}`);
    for (const line of lines) this.#collector.add(`${name}:${line.line}`, line.text, line.licence ?? licence);
  }

  async *#readParquet({ path, name }: FoundFile, licence: string | undefined): AsyncGenerator<void> {
    const collector = this.#collector;
    let seen = 0;
    for await (const event of readParquet(path, name, this.#options.textField)) {
      if (event.kind !== 'rows') collector.skip(event.kind, event.group === 0 ? name : `${name}, group ${event.group}`);
      else
        for (const row of event.rows) {
          if (row.text === undefined) collector.skip('no-text', `${name}:${row.row}`);
          else collector.add(`${name}:${row.row}`, row.text, row.licence ?? licence);
          seen += row.text?.length ?? 0;
        }
      yield;
      if (!collector.full && seen <= MAX_PARQUET_BYTES) continue;
      // Full: what did not fit is counted already.
      if (!collector.full) collector.skip('over-limit', name);
      return;
    }
  }
}

async function readText(path: string, maxBytes: number): Promise<{ text: string } | { reason: SkipReason }> {
  let bytes: Uint8Array;
  try {
    if ((await stat(path)).size > maxBytes) return { reason: 'too-large' };
    const content = isGzipName(path)
      ? await gunzipFile(path, maxBytes)
      : { kind: 'bytes' as const, bytes: await readFile(path) };
    if (content.kind !== 'bytes') return { reason: content.kind };
    bytes = content.bytes;
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
