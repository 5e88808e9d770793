export * from './compile.ts';
export * from './composites.ts';
export * from './engine.ts';
export * from './gradients.ts';
export * from './graph.ts';
export * from './operators.ts';
export * from './program.ts';
export * from './read.ts';
