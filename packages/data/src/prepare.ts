/** From what was read to what is worth training on: filters of quality, then near-duplicates. */
import { WorldError } from '@folkmoot/core';
import { type ReadSummary, SKIP_REASONS, type Skipped, type SkipReason, type SourceDocument } from './documents.ts';
import type { LeftOut } from './manifest.ts';
import { nearDuplicates } from './near-duplicates.ts';
import { qualityOf } from './quality.ts';

/** What a manifest calls these rules; another rule gets another name. */
export const QUALITY_RULE = 'quality-1';
export const NEAR_DUPLICATE_RULE = 'near-duplicates-1';

export interface PreparationRules {
  /** Default true. */
  readonly quality?: boolean;
  /** Whether near-duplicates are dropped; default true. */
  readonly nearDuplicates?: boolean;
}

export interface Prepared {
  readonly documents: readonly SourceDocument[];
  /** What was read, less what is left out now. */
  readonly summary: ReadSummary;
  /** For the manifest: each rule that was applied. */
  readonly leftOut: readonly LeftOut[];
}

/**
 * Leaves out documents of low quality (`qualityOf`) and those that nearly repeat an earlier one (`nearDuplicates`); the
 * order stays. Throws `data-empty` where nothing is left.
 */
export function prepareDocuments(
  documents: readonly SourceDocument[],
  summary: ReadSummary,
  { quality = true, nearDuplicates: drops = true }: PreparationRules = {},
): Prepared {
  const skipped = new Map(summary.skipped);
  const leftOut: LeftOut[] = [];
  let kept = documents;
  const apply = (rule: string, reasons: readonly (SkipReason | undefined)[]) => {
    const [stay, go] = [kept.filter((_, i) => !reasons[i]), kept.filter((_, i) => reasons[i])];
    for (const [i, { name }] of kept.entries()) if (reasons[i]) count(skipped, reasons[i], name);
    leftOut.push({ rule, documents: go.length, bytes: bytesIn(go) });
    kept = stay;
  };
  if (quality)
    apply(
      QUALITY_RULE,
      kept.map(({ name, text }) => qualityOf(name, text)),
    );
  if (drops) {
    const repeats = nearDuplicates(kept.map(({ text }) => text));
    apply(
      NEAR_DUPLICATE_RULE,
      kept.map((_, i) => (repeats[i]! >= 0 ? 'near-duplicate' : undefined)),
    );
  }
  if (kept.length === 0) throw nothingLeft(documents.length, skipped);
  const licences = new Map<string, number>();
  for (const { licence, bytes } of kept) licences.set(licence, (licences.get(licence) ?? 0) + bytes);
  return { documents: kept, summary: { documents: kept.length, bytes: bytesIn(kept), licences, skipped }, leftOut };
}

function count(skipped: Map<SkipReason, Skipped>, reason: SkipReason, name: string): void {
  const before = skipped.get(reason);
  skipped.set(reason, { count: (before?.count ?? 0) + 1, first: before?.first ?? name });
}

function bytesIn(documents: readonly SourceDocument[]): number {
  return documents.reduce((sum, { bytes }) => sum + bytes, 0);
}

function nothingLeft(read: number, skipped: ReadonlyMap<SkipReason, Skipped>): WorldError {
  const reasons = [...skipped].map(([reason, { count: times }]) => `${times} ${SKIP_REASONS[reason]}`);
  return new WorldError('data-empty', `Nothing that was read is worth training on (${reasons.join(', ')}).`, {
    facts: { documents: read },
    help: 'Give more text; --no-quality-filters keeps what the filters leave out.',
  });
}
