export * from './engine.ts';
export * from './program.ts';
