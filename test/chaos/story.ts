/**
 * What somebody needs who was not there when chaos broke something: what befell whom, and when; and where each member stood in
 * the end, by its own disk: how far its log goes, whose term it is, whose signatures the round needs, and what it has promised.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeviceId } from '@folkmoot/core';
import type { State } from '@folkmoot/protocol';
import { quorumOf } from '@folkmoot/records';
import { type Line, openLog, type Process } from '../harness.ts';
import type { ChaosEvent } from './chaos.ts';
import type { Village } from './village.ts';

/** Things that a member said, the last ones. */
const LAST_SAID = 6;
const LONGEST_SENTENCE = 140;
/** Events that are told, the last ones: a day of chaos has thousands. */
const LAST_EVENTS = 60;

/** Takes note of everything with its time. */
export class Story {
  readonly #startedMs = Date.now();
  readonly #events: ChaosEvent[] = [];
  readonly #said = new Map<string, string[]>();

  get nowMs(): number {
    return Date.now() - this.#startedMs;
  }

  happened(event: ChaosEvent): void {
    this.#events.push(event);
    if (this.#events.length > LAST_EVENTS) this.#events.shift();
  }

  /** A line that a member has just printed; rounds are events, and their figures are of no use here. */
  said(name: string, line: Line): void {
    if (line.type === 'round' || line.type === 'started' || typeof line.sentence !== 'string') return;
    const told = `${time(this.nowMs)} ${line.sentence.slice(0, LONGEST_SENTENCE)}`;
    this.#said.set(name, [...(this.#said.get(name) ?? []), told].slice(-LAST_SAID));
  }

  /** All of it, as it stands now. */
  async tell(seed: string, village: Village): Promise<string> {
    const { names } = village;
    const called = namesIn(village);
    return [
      `seed ${seed}, at ${time(this.nowMs)}`,
      ...this.#events.map(sentenceOf),
      '',
      ...names.map((name) => standing(village, name)),
      '',
      await connections(village),
      ...names.flatMap((name) => ['', `${name} said last:`, ...(this.#said.get(name) ?? ['nothing']).map(called)]),
    ].join('\n');
  }
}

/** A line for a person. */
export function sentenceOf(event: ChaosEvent): string {
  const at = time(event.atMs);
  switch (event.kind) {
    case 'started': {
      const where = event.isolated ? 'each in a network namespace of its own' : 'all on the loopback address';
      return `${at} ${event.members.join(', ')} have started, ${where}`;
    }
    case 'blow':
      return `${at} ${event.blow.kind}: ${event.blow.victims.join(', ')}, for ${event.blow.forMs / 1000} s`;
    case 'back':
      return `${at} ${event.name} is back`;
    case 'buried':
      return `${at} ${event.name}, the founder, is killed and will not come back`;
    case 'newcomer':
      return `${at} ${event.name} joins by an invite of ${event.through}`;
    case 'round':
      return `${at} round ${event.round} is finished, ${(event.gapMs / 1000).toFixed(1)} s after the one before`;
  }
}

const time = (ms: number) => `[${(ms / 1000).toFixed(1).padStart(7)} s]`;

/** Where a member stands by what is on its disk. */
function standing(village: Village, name: string): string {
  const starts = village.starts.get(name)!;
  const process = starts.at(-1)!;
  const alive = process.isOver ? 'its process is gone' : `process ${process.pid}, start ${starts.length}`;
  const state = stateOf(village, name);
  return state instanceof Error
    ? `${name}: ${alive}; its log cannot be read: ${state.message.slice(0, LONGEST_SENTENCE)}`
    : `${name}: ${alive}\n    ${place(state)}\n    ${roles(state)}\n    ${promises(process, village, state)}`;
}

/** Puts names in the place of devices, of which people see the first digits. */
function namesIn(village: Village): (text: string) => string {
  const states = village.names.map((name) => stateOf(village, name));
  const members = states.flatMap((state) => (state instanceof Error ? [] : Object.entries(state.members)));
  const nameOf = (digits: string) => members.find(([device]) => device.startsWith(digits))?.[1].name ?? digits;
  return (text) => text.replaceAll(/\b[0-9a-f]{10,64}\b/g, nameOf);
}

/** What a member's log folds to, read anew. */
function stateOf(village: Village, name: string): State | Error {
  try {
    return openLog(village.process(name).home, village.run).now();
  } catch (error) {
    return error as Error;
  }
}

function place({ head, round, finalized, audits }: State): string {
  const ageMs = Date.now() - head.atMs;
  const waits = round.deadlineMs === null ? 'no deadline' : `deadline ${round.deadlineMs - head.atMs} ms after its end`;
  const open = Object.values(audits).filter(({ round: of }) => of < round.number - 2).length;
  return `log to entry ${head.index} (${head.id.slice(0, 8)}), its time ${(ageMs / 1000).toFixed(1)} s ago; ${finalized} rounds finished; round ${round.number} in ${round.phase}, ${waits}${open > 0 ? `, ${open} audits overdue` : ''}`;
}

function roles(state: State): string {
  const { term, sequencer, electors, members } = state;
  const called = (devices: readonly DeviceId[]) => devices.map((device) => members[device]?.name ?? '?').join(' ');
  const ready = Object.keys(members).filter((device) => members[device]!.ready);
  return `term ${term} of ${called([sequencer])}; electors ${called(electors)}, of whom ${quorumOf(electors.length)} must sign; ready ${called(ready)}`;
}

/** What `node/promises` keeps. */
interface Kept {
  readonly after: string;
  readonly term: number;
  readonly vote: { readonly body: { readonly term: number } } | null;
  readonly lock: { readonly term: number } | null;
  readonly abstains: boolean;
}

function promises({ home }: Process, { run }: Village, { lastHeader }: State): string {
  const text = readFileOr(join(home, 'runs', run, 'cells', 'promises'));
  const kept = text === undefined ? undefined : (JSON.parse(text) as Kept);
  if (kept?.after !== lastHeader) return 'has promised nothing about this round';
  const votes = kept.vote ? `votes for term ${kept.vote.body.term}` : 'has not voted';
  const lock = kept.lock ? `, has sealed in term ${kept.lock.term}` : '';
  return `${votes}${lock}, says nothing before term ${kept.term}${kept.abstains ? ', stays away' : ''}`;
}

function readFileOr(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Who has a connection to whom, as the hub sees it; those of one that was killed go with it. */
async function connections({ star }: Village): Promise<string> {
  const pairs = new Set((await star.connections()).map((pair) => [...pair].sort().join('–')));
  return `connections: ${[...pairs].sort().join(', ') || 'none'}`;
}
