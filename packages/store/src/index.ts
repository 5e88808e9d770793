export { openCells } from './cells.ts';
export { type DiskStore, type DiskStoreOptions, openDiskStore } from './disk-store.ts';
export { openJournal } from './journal.ts';
export { lockHome } from './lock.ts';
