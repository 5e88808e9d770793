/** Tables of a Markdown document that a measurement rewrites: between `<!-- NAME -->` and `<!-- end -->`, header kept. */
import { assert } from '@folkmoot/core';

export function row(...cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** `text` with other rows in the table `name`; its two header lines stay. */
export function withTable(text: string, name: string, rows: readonly string[]): string {
  const begin = `<!-- ${name} -->\n`;
  const from = text.indexOf(begin);
  const to = text.indexOf('<!-- end -->', from);
  assert(from >= 0 && to > from, 'the document has a place for each table');
  const header = text
    .slice(from + begin.length, to)
    .split('\n')
    .slice(0, 2);
  return `${text.slice(0, from)}${begin}${[...header, ...rows].join('\n')}\n${text.slice(to)}`;
}
