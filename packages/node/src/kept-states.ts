/** States in cells: what the log folds to at some entry, so that it need not be folded from the beginning. */
import { type Cells, fromUtf8, type Journal } from '@folkmoot/core';
import type { State } from '@folkmoot/protocol';
import { entryIdOf } from '@folkmoot/records';

/** `anchor` where the last finished header stands, `snapshot` anywhere. */
export type KeptName = 'anchor' | 'snapshot';

export interface KeptState {
  /** The entry to which the last finished header commits; −1 before the first. */
  readonly anchor: number;
  readonly state: State;
}

export function keptText(state: State, anchor: number): string {
  return `{"anchor":${anchor},"state":${JSON.stringify(state)}}`;
}

/** What the cell holds, where it is a state of the log that begins with `first`. One of another log, or ahead of the journal, is only a lost shortcut. */
export async function readKept(
  first: State,
  cells: Cells,
  name: KeptName,
  journal: Journal,
): Promise<KeptState | undefined> {
  const bytes = await cells.read(name);
  const kept = bytes && (parseJsonLine(fromUtf8(bytes)) as Partial<KeptState> | undefined);
  const { state } = kept ?? {};
  const index = state?.head?.index;
  if (!Number.isSafeInteger(kept?.anchor) || !state || !Number.isSafeInteger(index)) return undefined;
  // Written by another version, whose state had other fields.
  if (state.run !== first.run || Object.keys(first).some((field) => !(field in state))) return undefined;
  const line = await lineAt(journal, index!);
  return line !== undefined && entryIdOf(parseJsonLine(line)) === state.head.id ? (kept as KeptState) : undefined;
}

/** `undefined` where there is no such line. */
export async function lineAt(journal: Journal, index: number): Promise<string | undefined> {
  for await (const line of journal.lines(index, index + 1)) return line;
  return undefined;
}

export function parseJsonLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
