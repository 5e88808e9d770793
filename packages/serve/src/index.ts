export * from './generate.ts';
export * from './loaded-model.ts';
export * from './sample.ts';
