export * from './explain.ts';
export * from './ledger.ts';
export * from './rows.ts';
export * from './settlement.ts';
export * from './shares.ts';
