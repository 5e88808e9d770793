/** A batch for measuring: any tokens will do. */
import type { ModelConfig } from '@folkmoot/model';

/** `tokens` and `targets` of `rows` rows. */
export function stepTokens({ context, vocab }: ModelConfig, rows: number): { tokens: Int32Array; targets: Int32Array } {
  const token = (i: number) => (i * 7919) % vocab;
  const length = rows * context;
  return {
    tokens: Int32Array.from({ length }, (_, i) => token(i)),
    targets: Int32Array.from({ length }, (_, i) => token(i + 1)),
  };
}
