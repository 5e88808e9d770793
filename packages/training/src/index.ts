export * from './aggregate.ts';
export * from './artifact.ts';
export * from './bfloat16.ts';
export * from './codec.ts';
export type { DenseUpdate } from './codec-dense.ts';
export type { SparseUpdate } from './codec-sparse.ts';
export { MAX_VALUE, UNIT } from './fixed-point.ts';
