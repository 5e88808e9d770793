/** `log` in full: chooses entries, prints them, and goes on where asked. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Canonical, type DeviceId, WorldError } from '@folkmoot/core';
import type { RecordKind } from '@folkmoot/records';
import { RECORD_KINDS } from '../commands/record-kinds.ts';
import type { Invocation } from '../invocation.ts';
import { parseCount } from '../run/take-part.ts';
import { displayWidth } from '../ui/width.ts';
import { entryLine } from './entry-lines.ts';
import { findMember } from './find-member.ts';
import { namesOf } from './names.ts';
import { openRun } from './open-run.ts';
import { refusalOf, Story, type Told } from './story.ts';

interface LogOptions {
  readonly run?: string;
  readonly follow?: boolean;
  readonly kind?: string;
  readonly member?: string;
  readonly round?: string;
  readonly last?: string;
}

const POLL_MS = 300;
export async function printLog(call: Invocation, options: LogOptions): Promise<void> {
  const kinds = parseKinds(options.kind);
  const round = options.round === undefined ? undefined : parseCount('--round', options.round);
  const last = options.last === undefined ? undefined : parseCount('--last', options.last);
  const story = await Story.read(await openRun(call.home, options.run));
  const device = options.member === undefined ? undefined : findMember(story.state.members, options.member);
  const isChosen = (told: Told) =>
    (!kinds || kinds.has(told.entry.record.body.kind)) &&
    (round === undefined || told.entry.record.body.round === round) &&
    (device === undefined || concerns(told, device));
  const chosen = story.entries.filter(isChosen);
  print(call, story, last === undefined ? chosen : chosen.slice(-last));
  if (!options.follow) return;
  const signal = call.stopSignal();
  while (!signal.aborted) {
    await sleep(POLL_MS, undefined, { signal }).catch(() => {});
    const { added, takenBack } = await story.readOn();
    if (takenBack > 0) tellTurn(call, story.entries.length - added.length - 1, takenBack);
    print(call, story, added.filter(isChosen));
  }
}

/** The end of the log that was printed is not the run's any more: electors have begun a term on an earlier entry. */
function tellTurn(call: Invocation, after: number, takenBack: number): void {
  const which = takenBack === 1 ? `entry ${after + 1} was` : `entries ${after + 1} to ${after + takenBack} were`;
  call.say(`----  ${which} voted away; the log goes on after entry ${after}`);
  call.object({ turnedAfter: after, takenBack });
}

function print(call: Invocation, story: Story, entries: readonly Told[]): void {
  const nameOf = namesOf(story.state.members);
  const speakers = new Set([
    ...Object.keys(story.state.members),
    ...entries.map(({ entry }) => entry.record.body.device),
  ]);
  const columns = Math.max(4, ...[...speakers].map((device) => displayWidth(nameOf(device))));
  const words = { charter: story.run.charter, nameOf };
  for (const told of entries) {
    call.say(entryLine(told, words, columns));
    call.object(entryObject(told, nameOf));
  }
}

/** An entry for scripts: its place, who said it, the record's own fields under `body`, and the events. */
export function entryObject(told: Told, nameOf: (device: DeviceId) => string): object {
  const { entry, events } = told;
  const { id, body } = entry.record;
  return {
    index: entry.index,
    id: entry.id,
    atMs: entry.atMs,
    record: id,
    kind: body.kind,
    round: body.round,
    device: body.device,
    name: nameOf(body.device),
    refused: refusalOf(told) ?? null,
    body: body as Canonical,
    events,
  };
}

/** Whether `device` said it, or the record or an event names it as trainer, auditor or device. */
function concerns({ entry, events }: Told, device: DeviceId): boolean {
  const { body } = entry.record;
  if (body.device === device || ('trainer' in body && body.trainer === device)) return true;
  return events.some(
    (event) =>
      ('device' in event && event.device === device) ||
      ('trainer' in event && event.trainer === device) ||
      ('auditor' in event && event.auditor === device) ||
      (event.kind === 'settled' && event.settlement.device === device),
  );
}

function parseKinds(text: string | undefined): ReadonlySet<RecordKind> | undefined {
  if (text === undefined) return undefined;
  const kinds = text.split(',').map((kind) => kind.trim());
  const isKind = (kind: string): kind is RecordKind => (RECORD_KINDS as readonly string[]).includes(kind);
  const unknown = kinds.find((kind) => !isKind(kind));
  if (unknown === undefined) return new Set(kinds.filter(isKind));
  throw new WorldError('no-such-kind', `There is no record of the kind "${unknown}".`, {
    help: `There are: ${RECORD_KINDS.join(', ')}.`,
  });
}
