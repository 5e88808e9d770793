/** Rules of a run that a person has written into a file: what differs from the preset's. */
import { readFile, stat } from 'node:fs/promises';
import { WorldError } from '@folkmoot/core';
import type { RunRules } from '@folkmoot/node';
import { charterSchema } from '@folkmoot/records';

/** JSON with rules in it; `null`, numbers and lists are refused before. */
export type RulesChange = Readonly<Record<string, unknown>>;

const MAX_RULES_BYTES = 2 ** 16;

/** Fields that have options of their own, or that founding computes. */
const CHANGEABLE = [
  'batchRows',
  'stepsPerRound',
  'stepsPerSegment',
  'aggregator',
  'timing',
  'succession',
  'committee',
  'audit',
  'credit',
  'sharePolicy',
] as const satisfies readonly (keyof RunRules)[];

const HELP = `A JSON object with some of these members of a charter: ${CHANGEABLE.join(', ')}; such as {"timing": {"graceMs": 2000}}.`;

/** Reads the file. Throws `rules-unreadable`, `rules-invalid`. */
export async function readRulesFile(path: string): Promise<RulesChange> {
  let found = `it is larger than ${MAX_RULES_BYTES} bytes`;
  try {
    if ((await stat(path)).size <= MAX_RULES_BYTES) return checked(JSON.parse(await readFile(path, 'utf8')), path);
  } catch (error) {
    if (error instanceof WorldError) throw error;
    found = (error as Error).message;
  }
  throw new WorldError('rules-unreadable', 'The file with the rules cannot be read.', {
    facts: { file: path, found },
    help: HELP,
  });
}

/** `rules` with what `change` says in the place of theirs. Throws `rules-invalid` with the first that no charter may have. */
export function changedRules(rules: RunRules, change: RulesChange = {}): RunRules {
  const changed: Record<string, unknown> = { ...rules };
  for (const [name, value] of Object.entries(change)) {
    const old = changed[name];
    // Of another kind, nothing of the old one fits.
    const isLike = isObject(value) && isObject(old) && (value.kind ?? old.kind) === old.kind;
    changed[name] = isLike ? { ...old, ...value } : value;
    const parsed = charterSchema.shape[name as (typeof CHANGEABLE)[number]].safeParse(changed[name]);
    const issue = parsed.error?.issues[0];
    if (issue) throw invalid([name, ...issue.path].join('.'), issue.message);
  }
  return changed as unknown as RunRules;
}

function checked(value: unknown, path: string): RulesChange {
  const unknown = isObject(value) ? Object.keys(value).find((name) => !CHANGEABLE.includes(name as never)) : undefined;
  if (isObject(value) && unknown === undefined) return value;
  throw unknown === undefined ? invalid(path, 'not an object') : invalid(unknown, 'cannot be changed here');
}

function invalid(where: string, found: string): WorldError {
  return new WorldError('rules-invalid', 'The file with the rules does not say what it may say.', {
    facts: { where, found },
    help: HELP,
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
