export { openCells } from './cells.ts';
export { type DiskStore, type DiskStoreOptions, openDiskStore } from './disk-store.ts';
export { openJournal } from './journal.ts';
export { JournalReader } from './journal-reader.ts';
export { lockHolder, lockHome } from './lock.ts';
export { ReadingStore } from './reading-store.ts';
export { shareArtifacts } from './share-artifacts.ts';
