/** Colours, or none. */

const CODES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;

export type Ink = keyof typeof CODES;

/** Wraps a text in an ink, where `color` holds. */
export function painter(color: boolean): (ink: Ink, text: string) => string {
  if (!color) return (_ink, text) => text;
  return (ink, text) => `\u001b[${CODES[ink][0]}m${text}\u001b[${CODES[ink][1]}m`;
}
