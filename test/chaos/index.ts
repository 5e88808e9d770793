export { BLOWS, type Blow, type BlowKind } from './blows.ts';
export { type ChaosEvent, type ChaosOptions, type ChaosResult, chaos } from './chaos.ts';
export { sentenceOf } from './story.ts';
