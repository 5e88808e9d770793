/** The manifest: what a dataset is made of. It is named by its hash in the charter and its text comes from a stranger. */
import {
  type Canonical,
  canonicalBytes,
  fromUtf8,
  type Hash,
  isCanonicalText,
  isHash,
  type JsonBounds,
  merkleRoot,
  parseBoundedJson,
} from '@folkmoot/core';
import { compareNames } from './documents.ts';
import { cleanLicence } from './licence.ts';

export const MAX_MANIFEST_BYTES = 2 ** 28;
export const MAX_SHARD_TOKENS = 2 ** 24;
const MAX_SHARDS = 2 ** 16;
const MAX_DOCUMENTS = 2 ** 20;
const MAX_RULES = 16;
const MAX_NAME_LENGTH = 200;
/** What the lists come to: documents of five members, licences of three, two lists of shards of two. */
const BOUNDS: JsonBounds = {
  depth: 4,
  containers: 2 * MAX_DOCUMENTS + 2 * MAX_SHARDS + 64,
  commas: 8 * MAX_DOCUMENTS + 4 * MAX_SHARDS + 256,
};

export type Split = 'train' | 'holdout';

/** Tokens of two bytes, little-endian, in shards that follow one another. */
export interface ShardList {
  /** Merkle root over the shards' ids. */
  readonly root: Hash;
  readonly tokens: number;
  /** Rows of `context` inputs and as many targets, each one token later: ⌊(tokens − 1) / context⌋. */
  readonly rows: number;
  /** All hold `shardTokens` tokens but the last, which may hold fewer. */
  readonly shards: readonly { readonly id: Hash; readonly tokens: number }[];
}

export interface ManifestDocument {
  readonly name: string;
  readonly sha256: Hash;
  readonly bytes: number;
  readonly licence: string;
  readonly split: Split;
}

export interface LicenceTotal {
  readonly licence: string;
  readonly documents: number;
  readonly bytes: number;
}

/** Documents that a rule left out, after reading and before tokens. */
export interface LeftOut {
  /** Names the rule and its version, such as `near-duplicates-1`. */
  readonly rule: string;
  readonly documents: number;
  readonly bytes: number;
}

export interface DatasetManifest {
  readonly version: 2;
  /** Id of the tokenizer's file. */
  readonly tokenizer: Hash;
  /** Every token is below this. */
  readonly vocab: number;
  /** T: tokens in a row. */
  readonly context: number;
  readonly shardTokens: number;
  readonly train: ShardList;
  readonly holdout: ShardList;
  /** In the order in which they were applied; a rule that is not here was not. */
  readonly leftOut: readonly LeftOut[];
  readonly documents: readonly ManifestDocument[];
  /** Sorted by licence. */
  readonly licences: readonly LicenceTotal[];
}

/** Canonical bytes; their hash is the manifest's id. */
export function writeManifest(manifest: DatasetManifest): Uint8Array {
  return canonicalBytes(manifest as unknown as Canonical);
}

/** The list of `shards`, with root and sums. */
export function shardList(shards: ShardList['shards'], context: number): ShardList {
  const tokens = shards.reduce((sum, shard) => sum + shard.tokens, 0);
  return {
    root: merkleRoot(shards.map(({ id }) => id)),
    tokens,
    rows: Math.max(0, Math.floor((tokens - 1) / context)),
    shards,
  };
}

/** Documents and bytes under each licence. */
export function licenceTotals(documents: readonly ManifestDocument[]): LicenceTotal[] {
  const totals = new Map<string, LicenceTotal>();
  for (const { licence, bytes } of documents) {
    const before = totals.get(licence) ?? { licence, documents: 0, bytes: 0 };
    totals.set(licence, { licence, documents: before.documents + 1, bytes: before.bytes + bytes });
  }
  return [...totals.values()].sort((a, b) => compareNames(a.licence, b.licence));
}

/** A document's name as manifests show it: at most 200 characters, the end of a longer one, nothing unprintable. */
export function manifestName(name: string): string {
  const printable = name.toWellFormed().replace(/\p{C}/gu, '\uFFFD');
  const trimmed = printable.length > MAX_NAME_LENGTH ? `…${printable.slice(1 - MAX_NAME_LENGTH)}` : printable;
  // Trimming may halve a character of two code units.
  return trimmed.toWellFormed();
}

export type ParsedManifest =
  | { readonly kind: 'manifest'; readonly manifest: DatasetManifest }
  | { readonly kind: 'reject'; readonly reason: string };

/**
 * Reads a manifest and checks all that follows from other parts of it: roots, sums, licences, and that the bytes are the
 * only ones for this content.
 */
export function parseManifest(bytes: Uint8Array): ParsedManifest {
  if (bytes.length > MAX_MANIFEST_BYTES) return { kind: 'reject', reason: 'larger than any manifest' };
  try {
    const manifest = checkManifest(parseBoundedJson(bytes, BOUNDS));
    const isCanonical = isCanonicalText(fromUtf8(bytes), manifest as unknown as Canonical);
    demand(isCanonical, 'not in canonical form, or a sum does not add up');
    return { kind: 'manifest', manifest };
  } catch (error) {
    return {
      kind: 'reject',
      reason: error instanceof Refusal ? error.message : 'not JSON, or more than a manifest has',
    };
  }
}

/** Rebuilt from checked parts only; whatever the text claims beyond them shows when the bytes are compared. */
function checkManifest(value: unknown): DatasetManifest {
  const { tokenizer, vocab, context, shardTokens, train, holdout, leftOut, documents } = members(value, 'manifest');
  demand(isHash(tokenizer), 'tokenizer is no hash');
  demand(isCount(vocab, 65_536), 'vocab out of range');
  demand(isCount(context, 4096), 'context out of range');
  demand(isCount(shardTokens, MAX_SHARD_TOKENS), 'shardTokens out of range');
  const listed = list(documents, MAX_DOCUMENTS, 'documents').map(checkDocument);
  return {
    version: 2,
    tokenizer,
    vocab,
    context,
    shardTokens,
    train: checkShards(train, context, shardTokens),
    holdout: checkShards(holdout, context, shardTokens),
    leftOut: list(leftOut, MAX_RULES, 'rules').map(checkLeftOut),
    documents: listed,
    licences: licenceTotals(listed),
  };
}

function checkShards(value: unknown, context: number, shardTokens: number): ShardList {
  const claimed = list(members(value, 'shard list').shards, MAX_SHARDS, 'shards');
  const shards = claimed.map((shard, i) => {
    const { id, tokens } = members(shard, 'shard');
    demand(isHash(id), 'shard id is no hash');
    demand(isCount(tokens, shardTokens), 'shard size out of range');
    demand(tokens === shardTokens || i === claimed.length - 1, 'a shard before the last is not full');
    return { id, tokens };
  });
  const result = shardList(shards, context);
  demand(result.rows >= 1, 'a split without rows');
  return result;
}

function checkLeftOut(value: unknown): LeftOut {
  const { rule, documents, bytes } = members(value, 'rule');
  demand(typeof rule === 'string' && /^[a-z0-9-]{1,32}$/.test(rule), 'rule name');
  demand(documents === 0 || isCount(documents, 2 ** 40), 'documents of a rule');
  demand(bytes === 0 || isCount(bytes, 2 ** 50), 'bytes of a rule');
  return { rule, documents, bytes };
}

function checkDocument(value: unknown): ManifestDocument {
  const { name, sha256, bytes, licence, split } = members(value, 'document');
  // The length first: the rest takes time for every letter.
  demand(typeof name === 'string' && name.length > 0 && name.length <= MAX_NAME_LENGTH, 'document name');
  demand(name === manifestName(name), 'document name');
  demand(isHash(sha256), 'document hash');
  demand(isCount(bytes, 2 ** 40), 'document size');
  demand(typeof licence === 'string' && licence === cleanLicence(licence), 'document licence');
  demand(split === 'train' || split === 'holdout', 'document split');
  return { name, sha256, bytes, licence, split };
}

class Refusal extends Error {}

function demand(condition: unknown, reason: string): asserts condition {
  if (!condition) throw new Refusal(reason);
}

function members(value: unknown, what: string): Record<string, unknown> {
  demand(typeof value === 'object' && value !== null && !Array.isArray(value), `${what} is no object`);
  return value as Record<string, unknown>;
}

function list(value: unknown, max: number, what: string): unknown[] {
  demand(Array.isArray(value) && value.length <= max, `${what} is no list of at most ${max}`);
  return value;
}

function isCount(value: unknown, max: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= max;
}
