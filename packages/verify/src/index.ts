export * from './calibration.ts';
export * from './distance.ts';
export * from './replay-segment.ts';
export * from './segment-files.ts';
export * from './step-bound.ts';
export * from './step-operators.ts';
export * from './verdict.ts';
