/** Documents: what was read, what was not, and why. */
import { type Hash, sha256, utf8 } from '@folkmoot/core';
import { cleanLicence, UNKNOWN_LICENCE } from './licence.ts';
import { holdsSecret } from './secrets.ts';

export interface SourceDocument {
  /** Relative to the folder that was given; never an absolute path, since the manifest is public. */
  readonly name: string;
  readonly text: string;
  /** sha-256 of the text's UTF-8. */
  readonly sha256: Hash;
  /** SPDX expression, or `unknown`. */
  readonly licence: string;
  /** Size of the text's UTF-8. */
  readonly bytes: number;
}

/** Why a file, folder or line was left out; the texts are what people read. */
export const SKIP_REASONS = {
  binary: 'not UTF-8 text',
  empty: 'empty',
  hidden: 'hidden',
  'key-like': 'looks like a key or password',
  'git-ignored': 'ignored by git',
  'too-large': 'too large',
  inflated: 'too large once decompressed',
  damaged: 'damaged',
  link: 'symbolic link',
  unsupported: 'type not read',
  dependencies: 'installed dependencies',
  generated: 'generated or minified',
  'not-jsonl': 'line without JSON text',
  'no-text': 'row without text',
  duplicate: 'exact duplicate',
  short: 'too short',
  'mostly-symbols': 'mostly numbers and symbols',
  unbroken: 'long runs without a space',
  repetitive: 'repeats itself',
  'near-duplicate': 'near-duplicate of an earlier one',
  unreadable: 'could not be read',
  'over-limit': 'beyond the size limit',
} as const;

export type SkipReason = keyof typeof SKIP_REASONS;

export interface Skipped {
  readonly count: number;
  /** Name of the first one; `name:line` for a line. */
  readonly first: string;
}

export interface ReadSummary {
  readonly documents: number;
  readonly bytes: number;
  /** Bytes read under each licence. */
  readonly licences: ReadonlyMap<string, number>;
  readonly skipped: ReadonlyMap<SkipReason, Skipped>;
}

/** Takes documents one at a time, refuses what must not be trained on, and counts. */
export class DocumentCollector {
  readonly documents: SourceDocument[] = [];
  readonly #maxBytes: number;
  readonly #hashes = new Set<Hash>();
  readonly #licences = new Map<string, number>();
  readonly #skipped = new Map<SkipReason, Skipped>();
  #bytes = 0;
  #full = false;

  /** `maxBytes`: documents beyond this many bytes together are left out. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** True after the first document that did not fit: nothing after it is taken, so that an earlier name always wins. */
  get full(): boolean {
    return this.#full;
  }

  /** Bytes taken so far. */
  get bytes(): number {
    return this.#bytes;
  }

  skip(reason: SkipReason, name: string): void {
    const before = this.#skipped.get(reason);
    this.#skipped.set(reason, { count: (before?.count ?? 0) + 1, first: before?.first ?? name });
  }

  /** Files the document, or counts why not. Returns the bytes taken. */
  add(name: string, text: string, licence: string | undefined): number {
    // A lone surrogate has no UTF-8; JSON can spell one.
    const document = describe(name, text.toWellFormed(), cleanLicence(licence) ?? UNKNOWN_LICENCE);
    const reason = this.#refusal(document);
    if (reason) {
      this.skip(reason, name);
      return 0;
    }
    this.documents.push(document);
    this.#hashes.add(document.sha256);
    this.#bytes += document.bytes;
    this.#licences.set(document.licence, (this.#licences.get(document.licence) ?? 0) + document.bytes);
    return document.bytes;
  }

  summary(): ReadSummary {
    return {
      documents: this.documents.length,
      bytes: this.#bytes,
      licences: this.#licences,
      skipped: this.#skipped,
    };
  }

  #refusal(document: SourceDocument): SkipReason | undefined {
    if (document.text.trim() === '') return 'empty';
    if (document.text.includes('\0')) return 'binary';
    if (holdsSecret(document.text)) return 'key-like';
    if (this.#hashes.has(document.sha256)) return 'duplicate';
    this.#full ||= this.#bytes + document.bytes > this.#maxBytes;
    return this.#full ? 'over-limit' : undefined;
  }
}

/** A document with its hash and size. */
export function describe(name: string, text: string, licence: string): SourceDocument {
  const bytes = utf8(text);
  return { name, text, licence, sha256: sha256(bytes), bytes: bytes.length };
}

/** The order of names everywhere: UTF-16 code units, which no locale changes. */
export function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
