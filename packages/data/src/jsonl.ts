/** JSON Lines: one document on each line. */
import { WorldError } from '@folkmoot/core';
import { textFieldOf } from './text-field.ts';

export interface JsonlLine {
  /** From 1. */
  readonly line: number;
  readonly text: string;
  /** The line's own `licence` or `license`, where it has one. */
  readonly licence: string | undefined;
}

/**
 * The text in member `wanted` of every line, by default in the first member with a usual name (`TEXT_FIELDS`) of the
 * first line that has one. Blank lines are passed over.
 *
 * `bad`: numbers of the lines that are not a JSON object with text there. Throws `jsonl-malformed` where they are more
 * than half: then the file is something else, or the member has another name.
 */
export function parseJsonl(name: string, content: string, wanted?: string): { lines: JsonlLine[]; bad: number[] } {
  const lines: JsonlLine[] = [];
  const bad: number[] = [];
  let field = wanted;
  for (const [index, source] of content.split('\n').entries()) {
    if (source.trim() === '') continue;
    const members = parseObject(source);
    field ??= textFieldOf(
      Object.keys(members).filter((key) => typeof members[key] === 'string'),
      undefined,
    );
    const parsed = field === undefined ? undefined : textOf(members, field);
    if (parsed) lines.push({ line: index + 1, ...parsed });
    else bad.push(index + 1);
  }
  if (bad.length > lines.length)
    throw new WorldError(
      'jsonl-malformed',
      `${name}:${bad[0]} is not a JSON object with text in "${field ?? 'text'}", and neither are most lines of the file.`,
      {
        facts: { file: name, line: bad[0]!, badLines: bad.length, lines: bad.length + lines.length },
        help: 'Mend the file, name the member that holds the text with --text-column NAME, or leave the file out.',
      },
    );
  return { lines, bad };
}

function parseObject(source: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(source);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function textOf(
  members: Record<string, unknown>,
  field: string,
): { text: string; licence: string | undefined } | undefined {
  const text = Object.hasOwn(members, field) ? members[field] : undefined;
  const licence = members.licence ?? members.license;
  if (typeof text !== 'string') return undefined;
  return { text, licence: typeof licence === 'string' ? licence : undefined };
}
