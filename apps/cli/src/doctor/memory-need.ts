/** How much memory a member needs to train: parameters in arenas, what a step leaves for its way back, the program. */
import { type ModelConfig, parameterLayout } from '@folkmoot/model';

/** A member that waits, with its libraries loaded. */
const IDLE_BYTES = 180e6;
/** Two sets of parameters and two moments, the gradient; a base and an update on their way: floats a parameter. */
const ARENAS = 9;

/** Bytes at the peak of a step on `rows` rows. Against measured: 630 MB for `small`, which this says within a tenth. */
export function memoryNeed(config: ModelConfig, rows: number): number {
  const { hidden, feedForward, heads, layers, vocab, context } = config;
  const tokens = rows * context;
  // Floats a token that the backward pass still needs; logits and their gradient last.
  const kept = layers * (12 * hidden + 5 * feedForward + heads * context) + 2 * vocab;
  return IDLE_BYTES + 4 * (ARENAS * parameterLayout(config).elements + tokens * kept);
}
