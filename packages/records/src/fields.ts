/** The shapes that fields of records share. Sizes are bounded before anything is allocated for them. */
import { z } from 'zod';

export const hash = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hexadecimal digits');
export const device = hash;
export const account = z.string().regex(/^0x[0-9a-f]{40}$/, 'expected 0x and 40 lower-case hexadecimal digits');
export const signature = z.string().regex(/^[0-9a-f]{128}$/, 'expected 128 lower-case hexadecimal digits');
/** A decimal number as text, so that its value does not depend on a formatter. */
export const decimal = z
  .string()
  .max(24)
  .regex(/^(0|[1-9][0-9]*)(\.[0-9]+)?$/, 'expected a plain decimal number');
/** A decimal above 0, or from 0 on where `orZero`, and at most `most`. */
export const decimalUpTo = (most: number, { orZero = false } = {}) =>
  decimal.refine(
    (text) => Number(text) <= most && (orZero || Number(text) > 0),
    `expected a number ${orZero ? 'from' : 'above'} 0 and at most ${most}`,
  );
/** A decimal in [0, 1). */
export const fraction = decimal.refine((text) => Number(text) < 1, 'expected a number below 1');
/** An integer in [1, `max`]. */
export const count = (max: number) => z.int().min(1).max(max);
/** An integer in [0, 2^53). */
export const natural = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
/** Printable text of 1 to `max` characters. */
export const label = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{C}]*$/u, 'expected printable text');
