/**
 * Parquet: one document in each row of a text column, row group by row group.
 *
 * A file comes from a stranger: sizes that it claims are checked before anything is allocated for them. A value that
 * lies about the length of a run can still make the decoder work until memory ends, so `parquet.node.ts` gives it a
 * thread with a limit of its own.
 */
import { WorldError } from '@folkmoot/core';
import {
  type AsyncBuffer,
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
  type RowGroup,
} from 'hyparquet';
import { compressors, decompressZstd } from 'hyparquet-compressors';
import { TEXT_FIELDS, textFieldOf } from './text-field.ts';

const MIB = 2 ** 20;
const MAX_FOOTER_BYTES = 64 * MIB;
/** One row group's text, decompressed: what must be in memory at once. */
const MAX_GROUP_BYTES = 256 * MIB;
/** Characters that are handed on together. */
const BATCH_CHARACTERS = 4 * MIB;

export interface ParquetRow {
  /** From 1, over the whole file. */
  readonly row: number;
  /** `undefined` where the row has none, or bytes that are no UTF-8. */
  readonly text: string | undefined;
  /** The row's own `licence` or `license`, where it has one. */
  readonly licence: string | undefined;
}

export type ParquetEvent =
  | { readonly kind: 'rows'; readonly rows: readonly ParquetRow[] }
  /** `group`: the row group that cannot be read, from 1; 0 where nothing of the file can. */
  | { readonly kind: 'damaged' | 'too-large'; readonly group: number };

/**
 * The rows of `file`, a few megabytes at a time; what cannot be read is said in its place.
 *
 * `wanted`: the text column's name; by default the first of `TEXT_FIELDS` that there is. Throws `parquet-no-text` where
 * the file has no such column of text.
 */
export async function* parquetEvents(
  file: AsyncBuffer,
  name: string,
  wanted?: string,
  maxGroupBytes = MAX_GROUP_BYTES,
): AsyncGenerator<ParquetEvent> {
  const metadata = await readMetadata(file);
  if (!metadata) return yield { kind: 'damaged', group: 0 };
  const column = textColumnOf(metadata, name, wanted);
  let before = 0;
  for (const [index, group] of metadata.row_groups.entries()) {
    const size = sizeOf(group, column.text);
    if (size === undefined) yield { kind: 'damaged', group: index + 1 };
    else if (size > maxGroupBytes) yield { kind: 'too-large', group: index + 1 };
    else yield* readGroup(file, metadata, index, column, { before, maxGroupBytes });
    before += Number(group.num_rows);
  }
}

interface Columns {
  readonly text: string;
  readonly licence: string | undefined;
}

async function readMetadata(file: AsyncBuffer): Promise<FileMetaData | undefined> {
  try {
    const tail = new DataView(await file.slice(file.byteLength - 8, file.byteLength));
    if (tail.getUint32(0, true) > Math.min(MAX_FOOTER_BYTES, file.byteLength - 12)) return undefined;
    return await parquetMetadataAsync(file, { geoparquet: false });
  } catch {
    return undefined;
  }
}

function textColumnOf(metadata: FileMetaData, name: string, wanted: string | undefined): Columns {
  const leaves = parquetSchema(metadata).children.filter(
    ({ element, children }) =>
      children.length === 0 && element.type === 'BYTE_ARRAY' && element.repetition_type !== 'REPEATED',
  );
  const names = leaves.map(({ element }) => element.name);
  const text = textFieldOf(names, wanted);
  if (text !== undefined) return { text, licence: names.find((one) => one === 'licence' || one === 'license') };
  const looked = wanted === undefined ? `called ${TEXT_FIELDS.join(', ')}` : `called "${wanted}"`;
  throw new WorldError('parquet-no-text', `${name} has no column of text ${looked}.`, {
    facts: { file: name, 'columns of text': names.slice(0, 20).join(', ') || 'none' },
    help: 'Name the column with --text-column NAME, or leave the file out.',
  });
}

/** Decompressed size of the text column in `group` as the file says, if what it says can be. */
function sizeOf(group: RowGroup, column: string): number | undefined {
  const chunk = group.columns.find(({ meta_data }) => meta_data?.path_in_schema.join('\0') === column)?.meta_data;
  const rows = Number(group.num_rows);
  // A column that is no list has a value, or none, for each row.
  if (chunk?.type !== 'BYTE_ARRAY' || !(rows >= 0 && Number(chunk.num_values) === rows)) return undefined;
  const size = Number(chunk.total_uncompressed_size);
  return Number.isSafeInteger(size) && size >= 0 ? Math.max(size, Number(chunk.total_compressed_size)) : undefined;
}

async function* readGroup(
  file: AsyncBuffer,
  metadata: FileMetaData,
  index: number,
  { text, licence }: Columns,
  { before, maxGroupBytes }: { before: number; maxGroupBytes: number },
): AsyncGenerator<ParquetEvent> {
  const group = metadata.row_groups[index]!;
  let rows: Record<string, unknown>[];
  try {
    rows = await parquetReadObjects({
      file,
      // One group only: planning looks at all that there are.
      metadata: { ...metadata, row_groups: [group] },
      columns: licence === undefined ? [text] : [text, licence],
      compressors: boundedCompressors(maxGroupBytes),
      parsers: { stringFromBytes: strictText },
      geoparquet: false,
    });
  } catch {
    return yield { kind: 'damaged', group: index + 1 };
  }
  let batch: ParquetRow[] = [];
  let characters = 0;
  for (const [i, row] of rows.entries()) {
    const [found, stated] = [row[text], licence === undefined ? undefined : row[licence]];
    const document = typeof found === 'string' ? found : undefined;
    batch.push({ row: before + i + 1, text: document, licence: typeof stated === 'string' ? stated : undefined });
    characters += document?.length ?? 0;
    if (characters < BATCH_CHARACTERS && batch.length < BATCH_CHARACTERS / 1024) continue;
    yield { kind: 'rows', rows: batch };
    [batch, characters] = [[], 0];
  }
  if (batch.length > 0) yield { kind: 'rows', rows: batch };
}

/** Decompressors that together give at most `limitBytes`. */
function boundedCompressors(limitBytes: number): Compressors {
  let left = limitBytes;
  const bounded = (decompress: (input: Uint8Array, length: number) => Uint8Array) => {
    return (input: Uint8Array, length: number) => {
      if (!(length >= 0 && length <= left)) throw new RangeError('a page is larger than its row group');
      left -= length;
      return decompress(input, length);
    };
  };
  // Without an array to fill, zstd believes its own header.
  const all: Compressors = { ...compressors, ZSTD: (input, length) => decompressZstd(input, new Uint8Array(length)) };
  return Object.fromEntries(Object.entries(all).map(([codec, decompress]) => [codec, bounded(decompress)]));
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function strictText(bytes: Uint8Array | undefined): string | undefined {
  try {
    return bytes && utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
