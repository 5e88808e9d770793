/** Which column of a table, or member of a JSON object, holds the text. */

/** In the order of preference; what public datasets call it. */
export const TEXT_FIELDS = [
  'text',
  'content',
  'document',
  'raw_content',
  'body',
  'markdown',
  'code',
  'article',
] as const;

/** The field that holds the text: `wanted`, else the first usual name among `names`; `undefined` where there is none. */
export function textFieldOf(names: readonly string[], wanted: string | undefined): string | undefined {
  if (wanted !== undefined) return names.includes(wanted) ? wanted : undefined;
  return TEXT_FIELDS.find((field) => names.includes(field));
}
