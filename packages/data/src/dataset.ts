/** Documents → tokens → shards. */
import { type Hash, sha256, WorldError } from '@folkmoot/core';
import { END_OF_TEXT_ID, type Tokenizer } from '@folkmoot/model';
import type { SourceDocument } from './documents.ts';
import { holdoutOverlap } from './holdout-overlap.ts';
import {
  type DatasetManifest,
  type LeftOut,
  licenceTotals,
  MAX_MANIFEST_BYTES,
  manifestName,
  type Split,
  shardList,
  writeManifest,
} from './manifest.ts';
import { chooseHoldout, cutLongDocuments } from './split.ts';

/** What a manifest calls the rule of `holdoutOverlap`. */
export const HOLDOUT_OVERLAP_RULE = 'holdout-overlap-1';

/** Fewer rows than this on either side measure nothing. */
const MIN_ROWS = 8;

export interface DatasetRules {
  /** T: tokens in a row. */
  readonly context: number;
  /** Tokens in a shard, default 2^20 (2 MiB), at most 2^24: the unit that members fetch and keep. */
  readonly shardTokens?: number;
  /** Share of documents in the hold-out, parts per million; default 20,000 (2 %). */
  readonly holdoutPpm?: number;
  /** Rules that were applied to the documents before, for the manifest; default none. */
  readonly leftOut?: readonly LeftOut[];
  /** Keeps training texts that share long stretches with the hold-out; default false. */
  readonly keepHoldoutOverlap?: boolean;
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
 * Cuts, splits and encodes `documents`, an end-of-text token after each. What would give the hold-out away is left out of
 * the training set (`holdoutOverlap`), so that the hold-out loss measures what was learnt, not what was seen.
 *
 * The same documents, tokenizer and rules give the same bytes. Throws `data-too-small` where either side would hold
 * fewer than eight rows, `data-too-many-documents` where the manifest would not fit its limit.
 */
export function buildDataset(documents: readonly SourceDocument[], tokenizer: Tokenizer, rules: DatasetRules): Dataset {
  const { context, shardTokens = 2 ** 20, holdoutPpm = 20_000, leftOut = [], keepHoldoutOverlap = false } = rules;
  const pieces = splitPieces(documents, tokenizer, { context, holdoutPpm });
  const overlapping = keepHoldoutOverlap ? new Set<Piece>() : overlappingIn(pieces);
  const kept = pieces.filter((piece) => !overlapping.has(piece));
  const shardsOf = (side: Split) =>
    cutShards(
      kept.filter(({ split }) => split === side).map(({ tokens }) => tokens),
      shardTokens,
    );
  const train = shardsOf('train');
  const held = shardsOf('holdout');
  const listed = kept.map(({ name, sha256, bytes, licence, split }) => {
    return { name: manifestName(name), sha256, bytes, licence, split };
  });
  const manifest: DatasetManifest = {
    version: 2,
    tokenizer: tokenizer.id,
    vocab: tokenizer.vocab,
    context,
    shardTokens,
    train: shardList(train.map(listing), context),
    holdout: shardList(held.map(listing), context),
    leftOut: keepHoldoutOverlap ? leftOut : [...leftOut, sumOf(HOLDOUT_OVERLAP_RULE, overlapping)],
    documents: listed,
    licences: licenceTotals(listed),
  };
  const manifestBytes = writeManifest(manifest);
  checkSize(manifest, manifestBytes.length);
  return { manifest, manifestId: sha256(manifestBytes), manifestBytes, shards: [...train, ...held] };
}

interface Piece extends SourceDocument {
  /** With the end of the text. */
  readonly tokens: Uint16Array;
  readonly split: Split;
}

function splitPieces(
  documents: readonly SourceDocument[],
  tokenizer: Tokenizer,
  { context, holdoutPpm }: { context: number; holdoutPpm: number },
): Piece[] {
  const pieces = cutLongDocuments(documents).map((piece) => ({
    ...piece,
    tokens: encodeDocument(piece.text, tokenizer),
  }));
  const sizes = pieces.map(({ tokens }) => tokens.length);
  const holdout = chooseHoldout(pieces, sizes, holdoutPpm, MIN_ROWS * context + 1);
  return pieces.map((piece, i) => ({ ...piece, split: holdout.has(i) ? 'holdout' : 'train' }));
}

function overlappingIn(pieces: readonly Piece[]): Set<Piece> {
  const [train, held] = (['train', 'holdout'] as const).map((side) => pieces.filter(({ split }) => split === side));
  const textsOf = (side: readonly Piece[]) => side.map(({ text }) => text);
  const overlap = holdoutOverlap(textsOf(train!), textsOf(held!));
  return new Set(train!.filter((_, i) => overlap.has(i)));
}

function sumOf(rule: string, pieces: ReadonlySet<Piece>): LeftOut {
  return { rule, documents: pieces.size, bytes: [...pieces].reduce((sum, { bytes }) => sum + bytes, 0) };
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

function checkSize({ train, holdout, context, documents, leftOut }: DatasetManifest, manifestBytes: number): void {
  if (manifestBytes > MAX_MANIFEST_BYTES)
    throw new WorldError(
      'data-too-many-documents',
      `The data has ${documents.length} documents, more than can be listed.`,
      { facts: { documents: documents.length, manifestBytes }, help: 'Join short documents into longer ones.' },
    );
  if (train.rows >= MIN_ROWS && holdout.rows >= MIN_ROWS) return;
  const tokens = train.tokens + holdout.tokens;
  const needed = 2 * (MIN_ROWS * context + 1);
  const facts: Record<string, number> = { tokens, needed, trainRows: train.rows, holdoutRows: holdout.rows };
  for (const { rule, documents: count } of leftOut) if (count > 0) facts[`left out by ${rule}`] = count;
  throw new WorldError(
    'data-too-small',
    `The data gives ${tokens} tokens, too few for ${MIN_ROWS} rows of ${context} to train on and ${MIN_ROWS} to hold out.`,
    { facts, help: `Add text until there are well over ${needed} tokens, or use a preset with a shorter context.` },
  );
}
