/** Documents → tokens → shards. */
import { type Hash, sha256, WorldError } from '@folkmoot/core';
import { END_OF_TEXT_ID, type Tokenizer } from '@folkmoot/model';
import type { SourceDocument } from './documents.ts';
import {
  type DatasetManifest,
  licenceTotals,
  MAX_MANIFEST_BYTES,
  manifestName,
  type Split,
  shardList,
  writeManifest,
} from './manifest.ts';
import { chooseHoldout, cutLongDocuments } from './split.ts';

/** Fewer rows than this on either side measure nothing. */
const MIN_ROWS = 8;

export interface DatasetRules {
  /** T: tokens in a row. */
  readonly context: number;
  /** Tokens in a shard, default 2^20 (2 MiB), at most 2^24: the unit that members fetch and keep. */
  readonly shardTokens?: number;
  /** Share of documents in the hold-out, parts per million; default 20,000 (2 %). */
  readonly holdoutPpm?: number;
}

export interface Shard {
  readonly id: Hash;
  /** Tokens of two bytes, little-endian. */
  readonly bytes: Uint8Array;
}

export interface Dataset {
  readonly manifest: DatasetManifest;
  readonly manifestId: Hash;
  readonly manifestBytes: Uint8Array;
  /** Training shards in order, then hold-out shards in order. */
  readonly shards: readonly Shard[];
}

/**
 * Cuts, splits and encodes `documents`, an end-of-text token after each.
 *
 * The same documents, tokenizer and rules give the same bytes. Throws `data-too-small` where either side would hold
 * fewer than eight rows, `data-too-many-documents` where the manifest would not fit its limit.
 */
export function buildDataset(documents: readonly SourceDocument[], tokenizer: Tokenizer, rules: DatasetRules): Dataset {
  const { context, shardTokens = 2 ** 20, holdoutPpm = 20_000 } = rules;
  const pieces = cutLongDocuments(documents);
  const encoded = pieces.map(({ text }) => encodeDocument(text, tokenizer));
  const sizes = encoded.map(({ length }) => length);
  const holdout = chooseHoldout(pieces, sizes, holdoutPpm, MIN_ROWS * context + 1);
  const shardsOf = (split: Split) =>
    cutShards(
      encoded.filter((_, index) => holdout.has(index) === (split === 'holdout')),
      shardTokens,
    );
  const train = shardsOf('train');
  const held = shardsOf('holdout');
  const listed = pieces.map(({ name, sha256, bytes, licence }, index) => {
    const split: Split = holdout.has(index) ? 'holdout' : 'train';
    return { name: manifestName(name), sha256, bytes, licence, split };
  });
  const manifest: DatasetManifest = {
    version: 1,
    tokenizer: tokenizer.id,
    vocab: tokenizer.vocab,
    context,
    shardTokens,
    train: shardList(train.map(listing), context),
    holdout: shardList(held.map(listing), context),
    documents: listed,
    licences: licenceTotals(listed),
  };
  checkSize(manifest);
  const manifestBytes = writeManifest(manifest);
  if (manifestBytes.length > MAX_MANIFEST_BYTES)
    throw new WorldError(
      'data-too-many-documents',
      `The data has ${listed.length} documents, more than can be listed.`,
      {
        facts: { documents: listed.length, manifestBytes: manifestBytes.length },
        help: 'Join short documents into longer ones.',
      },
    );
  return { manifest, manifestId: sha256(manifestBytes), manifestBytes, shards: [...train, ...held] };
}

const listing = ({ id, bytes }: Shard) => ({ id, tokens: bytes.length / 2 });

function encodeDocument(text: string, tokenizer: Tokenizer): Uint16Array {
  const ids = tokenizer.encodeDocument(text);
  ids.push(END_OF_TEXT_ID);
  return Uint16Array.from(ids);
}

function cutShards(documents: readonly Uint16Array[], shardTokens: number): Shard[] {
  const shards: Shard[] = [];
  let left = documents.reduce((size, document) => size + document.length, 0);
  let bytes = new Uint8Array(0);
  let at = 0;
  for (const document of documents)
    for (const token of document) {
      if (at === bytes.length) {
        bytes = new Uint8Array(2 * Math.min(shardTokens, left));
        at = 0;
      }
      bytes[at++] = token & 0xff;
      bytes[at++] = token >> 8;
      left--;
      if (at === bytes.length) shards.push({ id: sha256(bytes), bytes });
    }
  return shards;
}

function checkSize({ train, holdout, context }: DatasetManifest): void {
  if (train.rows >= MIN_ROWS && holdout.rows >= MIN_ROWS) return;
  const tokens = train.tokens + holdout.tokens;
  const needed = 2 * (MIN_ROWS * context + 1);
  throw new WorldError(
    'data-too-small',
    `The data gives ${tokens} tokens, too few for ${MIN_ROWS} rows of ${context} to train on and ${MIN_ROWS} to hold out.`,
    {
      facts: { tokens, needed, trainRows: train.rows, holdoutRows: holdout.rows },
      help: `Add text until there are well over ${needed} tokens, or use a preset with a shorter context.`,
    },
  );
}
