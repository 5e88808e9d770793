/** JSON Lines: one document on each line. */
import { WorldError } from '@folkmoot/core';

export interface JsonlLine {
  /** From 1. */
  readonly line: number;
  readonly text: string;
  /** The line's own `licence` or `license`, where it has one. */
  readonly licence: string | undefined;
}

/**
 * The text in member `field` of every line. Blank lines are passed over.
 *
 * `bad`: numbers of the lines that are not a JSON object with text in `field`. Throws `jsonl-malformed` where they are
 * more than half: then the file is something else, or the field has another name.
 */
export function parseJsonl(name: string, content: string, field: string): { lines: JsonlLine[]; bad: number[] } {
  const lines: JsonlLine[] = [];
  const bad: number[] = [];
  for (const [index, source] of content.split('\n').entries()) {
    if (source.trim() === '') continue;
    const parsed = parseLine(source, field);
    if (parsed) lines.push({ line: index + 1, ...parsed });
    else bad.push(index + 1);
  }
  if (bad.length > lines.length)
    throw new WorldError(
      'jsonl-malformed',
      `${name}:${bad[0]} is not a JSON object with text in "${field}", and neither are most lines of the file.`,
      {
        facts: { file: name, line: bad[0]!, badLines: bad.length, lines: bad.length + lines.length },
        help: `Mend the file, name the member that holds the text instead of "${field}", or leave the file out.`,
      },
    );
  return { lines, bad };
}

function parseLine(source: string, field: string): { text: string; licence: string | undefined } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, field)) return undefined;
  const members = value as Record<string, unknown>;
  const text = members[field];
  const licence = members.licence ?? members.license;
  if (typeof text !== 'string') return undefined;
  return { text, licence: typeof licence === 'string' ? licence : undefined };
}
