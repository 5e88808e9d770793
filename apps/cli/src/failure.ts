/** How a failure is told: a sentence, the facts, the next step; or one JSON object. */
import type { WorldError } from '@folkmoot/core';
import { CommanderError } from 'commander';
import { oneLine } from './ui/width.ts';

/** 0 for help and version, 2 for wrong usage, 130 where the user interrupted, 1 for everything else. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return hasCode(error, 'interrupted') ? 130 : 1;
}

/** Prints `error` on stderr, or as `{"error": …}` on stdout with `--json`. Help that was asked for is not a failure. */
export async function reportFailure(error: unknown): Promise<void> {
  if (error instanceof CommanderError && error.exitCode === 0) return;
  const told = await tell(error);
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ error: told })}\n`);
  else process.stderr.write(`${failureLines(told).join('\n')}\n`);
  if (process.env.FOLKMOOT_DEBUG === '1') console.error(error);
}

export interface ToldFailure {
  readonly code: string;
  readonly message: string;
  readonly facts: Readonly<Record<string, string | number>>;
  readonly help: string;
}

/** The sentence, the facts one below the other, the help. Facts may come from peers: control characters are dropped. */
export function failureLines(told: ToldFailure): string[] {
  const names = Object.keys(told.facts);
  const column = Math.max(0, ...names.map((name) => name.length)) + 2;
  return [
    `folkmoot: ${told.message}`,
    ...names.map((name) => `  ${name.padEnd(column)}${oneLine(String(told.facts[name]))}`),
    ...(told.help === '' ? [] : [told.help]),
  ];
}

async function tell(error: unknown): Promise<ToldFailure> {
  if (error instanceof CommanderError) return tellUsage(error);
  const { isWorldError } = await import('@folkmoot/core');
  if (isWorldError(error)) return tellWorld(error);
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'bug', message, facts: {}, help: 'This is a bug of folkmoot. FOLKMOOT_DEBUG=1 shows where.' };
}

function tellWorld({ code, message, facts, help }: WorldError): ToldFailure {
  return { code, message, facts, help };
}

function tellUsage(error: CommanderError): ToldFailure {
  const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
  return { code: 'usage', message, facts: {}, help: 'Add --help to the command to see what it takes.' };
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === code;
}
