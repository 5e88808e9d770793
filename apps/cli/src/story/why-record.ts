/** What a record is, what it brought about, and whether it was accepted. */
import { type Hash, isHash } from '@folkmoot/core';
import { headerId } from '@folkmoot/records';
import { oneLine } from '../ui/width.ts';
import { eventText, localTime, recordText } from './entry-lines.ts';
import { namesOf } from './names.ts';
import { refusalOf, type Story, type Told } from './story.ts';
import type { Explanation } from './subject.ts';

/** Fewer digits would name too many. */
const SHORTEST_PREFIX = 6;

/** An id of the log, and where it was said first. */
export interface Named {
  readonly id: Hash;
  readonly what: 'record' | 'entry' | 'header' | 'artifact or hash';
  readonly told: Told;
  /** Later entries that name it. */
  readonly later: readonly number[];
}

/** Everything whose id starts with `digits`: records, entries and headers; where there is none, whatever records name. */
export function recordsNamed(story: Story, digits: string): Named[] {
  const prefix = digits.toLowerCase();
  if (prefix.length < SHORTEST_PREFIX || !/^[0-9a-f]{1,64}$/.test(prefix)) return [];
  const found = new Map<Hash, Named>();
  const mentioned = new Map<Hash, Named & { later: number[] }>();
  for (const told of story.entries) {
    const { entry } = told;
    const { record } = entry;
    const add = (id: Hash, what: Named['what']) => {
      if (id.startsWith(prefix) && !found.has(id)) found.set(id, { id, what, told, later: [] });
    };
    add(record.id, 'record');
    add(entry.id, 'entry');
    if (record.body.kind === 'header') add(headerId(record.body.header), 'header');
    for (const id of hashesIn(record.body)) {
      if (!id.startsWith(prefix)) continue;
      const before = mentioned.get(id);
      if (before) before.later.push(entry.index);
      else mentioned.set(id, { id, what: 'artifact or hash', told, later: [] });
    }
  }
  return found.size > 0 ? [...found.values()] : [...mentioned.values()];
}

export function explainRecord({ state, run }: Story, { id, what, told, later }: Named): Explanation {
  const { entry, events } = told;
  const { record } = entry;
  const nameOf = namesOf(state.members);
  const words = { charter: run.charter, nameOf };
  const refusal = refusalOf(told);
  const effects = events.map((event) => (event.kind === 'rejected' ? undefined : eventText(event, words)));
  const sentences = effects.filter((text) => text !== undefined).map(oneLine);
  const facts = {
    kind: what,
    id,
    entry: { index: entry.index, id: entry.id, atMs: entry.atMs },
    record: record.id,
    recordKind: record.body.kind,
    device: record.body.device,
    name: nameOf(record.body.device),
    accepted: refusal === undefined,
    refused: refusal ?? null,
    body: record.body,
    events,
    namedLater: later,
  };
  return {
    facts,
    lines: [
      `${what} ${id}`,
      ...(what === 'artifact or hash' ? [`named first in the ${record.body.kind} record ${record.id}`] : []),
      `${nameOf(record.body.device)} ${oneLine(recordText(record.body, words))}`,
      `entry ${entry.index} at ${localTime(entry.atMs)}, ${refusal === undefined ? 'accepted' : `refused: ${oneLine(refusal)}`}`,
      ...sentences.map((sentence) => `→ ${sentence}`),
      ...(later.length > 0 ? [`named again in ${later.length === 1 ? 'entry' : 'entries'} ${list(later)}`] : []),
    ],
  };
}

function list(indices: readonly number[]): string {
  return indices.slice(0, 12).join(', ') + (indices.length > 12 ? `, … (${indices.length})` : '');
}

/** Every hash in the fields that are the record's own. */
function* hashesIn(value: unknown): Generator<Hash> {
  if (typeof value === 'string') {
    if (isHash(value)) yield value;
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, part] of Object.entries(value))
      if (name !== 'run' && name !== 'device' && name !== 'seen' && name !== 'proof') yield* hashesIn(part);
  }
}
