export * from './explain.ts';
export * from './ledger.ts';
export * from './settlement.ts';
