/** Planted bugs for a person: each in a process of its own, with who noticed it, and the table of all. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WorldError } from '@folkmoot/core';
import {
  type Catch,
  notYetNoticed,
  PLANTED_BUGS,
  type PlantedBug,
  plant,
  plantedTable,
  readState,
} from '@folkmoot/sim/planted';
import type { Invocation } from './invocation.ts';
import { projectRoot } from './project.ts';

/** Worlds in which a bug may hide: as many as every commit runs. */
const SEEDS = 200;
const TABLE = 'docs/results/planted-bugs.md';

/** `names`: of bugs or areas, "all" or "list". With "all", or `writes`, each row goes into the table as soon as it is there. */
export async function runPlants(call: Invocation, names: readonly string[], writes: boolean): Promise<void> {
  if (names.includes('list')) return list(call);
  const isAll = names.includes('all');
  const bugs = chosen(names);
  const table = writes || isAll ? new Table() : undefined;
  const due = isAll ? await table!.due(bugs) : bugs;
  if (due.length < bugs.length)
    call.say(`${bugs.length - due.length} of ${bugs.length} have a row of this source in ${TABLE}.`);
  const signal = call.stopSignal();
  const missed: string[] = [];
  for (const [i, bug] of due.entries()) {
    const found = await plant(bug, { count: SEEDS, signal });
    signal.throwIfAborted();
    tell(call, found, `${i + 1}/${due.length}`.padStart(8));
    if (found.by === undefined) missed.push(bug.name);
    await table?.add(found);
  }
  if (table) call.say(`table: ${TABLE}`);
  if (missed.length > 0)
    throw new WorldError('bugs-unnoticed', `Nobody noticed ${missed.join(', ')}.`, {
      help: 'A checker or a nemesis is missing: add it to packages/sim/src.',
    });
}

function list(call: Invocation): void {
  for (const { name, area, about, file } of PLANTED_BUGS) {
    call.object({ name, area, about, file });
    call.say(`${name.padEnd(30)}${area.padEnd(14)}${about}`);
  }
}

function tell(call: Invocation, { bug, by, seed, worlds, cpuSeconds, message }: Catch, place: string): void {
  call.object({ bug: bug.name, by, seed, worlds, cpuSeconds, message });
  const when = seed === undefined ? '' : ` at seed ${seed}`;
  call.say(`${place}  ${bug.name.padEnd(30)}${by ?? 'NOBODY'}${when}, ${cpuSeconds.toFixed(1)} s: ${message}`);
}

function chosen(names: readonly string[]): readonly PlantedBug[] {
  const areas = new Set(PLANTED_BUGS.map(({ area }) => area));
  const isMeant = ({ name, area }: PlantedBug, wanted: string) => [name, area, 'all'].includes(wanted);
  const unknown = names.find((wanted) => !PLANTED_BUGS.some((bug) => isMeant(bug, wanted)));
  if (unknown === undefined) return PLANTED_BUGS.filter((bug) => names.some((wanted) => isMeant(bug, wanted)));
  throw new WorldError('no-such-bug', `No bug is called "${unknown}".`, {
    help: `Give names from \`sim --plant list\`, areas (${[...areas].join(', ')}) or "all".`,
  });
}

/** The page of results, which is written again after every bug: what was stopped goes on there. */
class Table {
  readonly #path = join(projectRoot, TABLE);
  readonly #stateOf = readState();

  async due(bugs: readonly PlantedBug[]): Promise<PlantedBug[]> {
    return notYetNoticed(await this.#read(), bugs, this.#stateOf);
  }

  async add(found: Catch): Promise<void> {
    await writeFile(this.#path, plantedTable(await this.#read(), [found], PLANTED_BUGS, this.#stateOf));
  }

  #read(): Promise<string> {
    return readFile(this.#path, 'utf8').catch(() => '');
  }
}
