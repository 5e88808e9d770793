export * from './config.ts';
export * from './layout.ts';
