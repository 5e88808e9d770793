/** How many columns a text takes on a terminal, and texts cut to fit. */

/** Control and formatting characters, escape sequences included by their first byte: a peer's name must not draw. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu;
const COMBINING = /^[\p{M}]$/u;
/** East Asian wide characters and pictures, the ranges that occur in names (Unicode TR11, coarsely). */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]$/u;

/** `text` on one line, with nothing in it that moves the cursor. */
export function oneLine(text: string): string {
  return text.replace(UNPRINTABLE, ' ').trim();
}

/** Columns of a text without control characters. */
export function displayWidth(text: string): number {
  let columns = 0;
  for (const character of text) columns += characterWidth(character);
  return columns;
}

/** `text` in exactly `columns` columns: padded with spaces, or cut with an ellipsis. */
export function fit(text: string, columns: number, align: 'left' | 'right' = 'left'): string {
  const cut = truncate(text, columns);
  const padding = ' '.repeat(columns - displayWidth(cut));
  return align === 'left' ? cut + padding : padding + cut;
}

/** `text` in at most `columns` columns. */
export function truncate(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  if (columns <= 0) return '';
  let kept = '';
  let used = 0;
  for (const character of text) {
    used += characterWidth(character);
    if (used > columns - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

function characterWidth(character: string): number {
  if (character < '\u0300') return 1;
  if (COMBINING.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
