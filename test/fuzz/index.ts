/** Everything that reads what a stranger may have written. */
import { binaryTargets } from './binary-targets.ts';
import { jsonTargets } from './json-targets.ts';
import { lineageTargets } from './lineage-targets.ts';
import { messageTargets } from './message-targets.ts';
import { reducerTarget } from './reducer-target.ts';
import type { Target } from './target.ts';

export { Finding, type Fuzzed, fuzz } from './fuzz.ts';
export { fuzzGuided, type Guided } from './guided.ts';
export type { Target } from './target.ts';

export const targets: readonly Target[] = [
  ...jsonTargets,
  ...messageTargets,
  ...binaryTargets,
  ...lineageTargets(),
  reducerTarget(),
];
