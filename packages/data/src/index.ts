export * from './assignment.ts';
export * from './dataset.ts';
export {
  DocumentCollector,
  type ReadSummary,
  SKIP_REASONS,
  type Skipped,
  type SkipReason,
  type SourceDocument,
} from './documents.ts';
export { holdoutOverlap } from './holdout-overlap.ts';
export * from './licence.ts';
export {
  type DatasetManifest,
  type LeftOut,
  type LicenceTotal,
  MAX_MANIFEST_BYTES,
  type ManifestDocument,
  type ParsedManifest,
  parseManifest,
  type ShardList,
  type Split,
  writeManifest,
} from './manifest.ts';
export * from './prepare.ts';
export * from './rows.ts';
export { describeSummary } from './summary.ts';
