export * from './compile.ts';
export * from './composites.ts';
export * from './engine.ts';
export { EXACT_WASM_SHA256 } from './engines/exact.ts';
export * from './gradients.ts';
export * from './graph.ts';
export * from './operators.ts';
export * from './program.ts';
export * from './read.ts';
